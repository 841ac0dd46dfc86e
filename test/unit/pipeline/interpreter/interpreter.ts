import type { Flow } from "../../../../src/openflow/flow.js";
import { Conntrack } from "./conntrack.js";
import type { Fields } from "./fields.js";
import { bestMatch, type Tables } from "./lookup.js";
import { bitsOf, moved } from "./move.js";
import type { Tuple } from "./tuple.js";

export type { Fields } from "./fields.js";
export { bestMatch, type Tables, tablesOf } from "./lookup.js";

export interface Sent {
  readonly port: string;
  readonly fields: Fields;
}

export interface Circumstances {
  readonly conntrack?: Conntrack;
  /** The packet is an ICMP error about one with this tuple. */
  readonly about?: Tuple | undefined;
  /** Told of each flow that the packet matches. */
  readonly matched?: (flow: Flow) => void;
}

/**
 * What one bridge does with a packet, by the rules of OpenFlow: in each table the flow of the
 * highest priority that matches, its actions in order, on in the table that it names.
 * @returns what is sent, by port; `dec_ttl` is not looked into
 * @throws Error for an action that it does not know
 */
export function runBridge(
  tables: Tables,
  packet: Fields,
  circumstances: Circumstances = {},
): Sent[] {
  const run = new Run(tables, circumstances);
  run.lookUp(0, packet);
  return run.sent;
}

const SET_FIELD = /^set_field:(.+)->(\w+)$/;
const RESUBMIT = /^resubmit\(,(\d+)\)$/;
const TRACK = /^ct\(table=(\d+),zone=([^,]+)\)$/;
const COMMIT = /^ct\(commit,(?:table=(\d+),)?zone=([^,]+),exec\((.+)\)\)$/;
const ALIASES: Readonly<Record<string, string>> = {
  eth_src: "dl_src",
  eth_dst: "dl_dst",
  ip_src: "nw_src",
};
const WITHOUT_EFFECT_HERE = new Set(["drop", "dec_ttl"]);

class Run {
  readonly sent: Sent[] = [];
  readonly #tables: Tables;
  readonly #conntrack: Conntrack;
  readonly #about: Tuple | undefined;
  readonly #matched: (flow: Flow) => void;

  constructor(
    tables: Tables,
    { conntrack = new Conntrack(), about, matched = () => undefined }: Circumstances,
  ) {
    this.#tables = tables;
    this.#conntrack = conntrack;
    this.#about = about;
    this.#matched = matched;
  }

  /** @returns the packet as it comes back to who has looked into the table */
  lookUp(table: number, packet: Fields): Fields {
    const flow = bestMatch(this.#tables.get(table), packet);
    if (flow !== undefined) this.#matched(flow);
    let fields = packet;
    for (const action of split(flow?.actions ?? "drop")) fields = this.#act(action, fields);
    return fields;
  }

  #act(action: string, fields: Fields): Fields {
    const [, value, field] = SET_FIELD.exec(action) ?? [];
    if (value !== undefined && field !== undefined) {
      return { ...fields, [ALIASES[field] ?? field]: value };
    }
    const table = RESUBMIT.exec(action)?.[1] ?? /^goto_table:(\d+)$/.exec(action)?.[1];
    if (table !== undefined) return this.lookUp(Number(table), fields);
    return moved(fields, action) ?? this.#track(action, fields) ?? this.#send(action, fields);
  }

  #track(action: string, fields: Fields): Fields | undefined {
    const [, table, zone] = TRACK.exec(action) ?? [];
    if (table !== undefined && zone !== undefined) {
      const tracked = this.#conntrack.track(bitsOf(fields, zone), fields, this.#about);
      this.lookUp(Number(table), tracked);
      return fields;
    }
    const [, next, into, notes] = COMMIT.exec(action) ?? [];
    if (into === undefined || notes === undefined) return undefined;
    const known = this.#conntrack.commit(bitsOf(fields, into), fields, noted(fields, notes));
    if (next !== undefined) this.lookUp(Number(next), { ...fields, ...known });
    return fields;
  }

  /** A packet does not go back to where it came from unless `IN_PORT` says so. */
  #send(action: string, fields: Fields): Fields {
    const inPort = String(fields["in_port"]);
    const port = action === "IN_PORT" ? inPort : /^output:(\d+)$/.exec(action)?.[1];
    if (port !== undefined) {
      if (port !== inPort || action === "IN_PORT") this.sent.push({ port, fields });
    } else if (!WITHOUT_EFFECT_HERE.has(action)) throw new Error(`unknown action ${action}`);
    return fields;
  }
}

/** What the moves inside `exec(…)` put into the connection's fields. */
function noted(fields: Fields, actions: string) {
  const bare: Fields = { ...fields, ct_mark: "0", ct_label: "0" };
  const after = split(actions).reduce((now, action) => {
    const next = moved(now, action);
    if (next === undefined) throw new Error(`unknown in exec: ${action}`);
    return next;
  }, bare);
  const names = (["ct_mark", "ct_label"] as const).filter((name) =>
    actions.includes(name.toUpperCase()),
  );
  return Object.fromEntries(names.map((name) => [name, String(after[name])]));
}

/** Actions are parted by commas outside of parentheses. */
function split(actions: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [at, char] of [...actions].entries()) {
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (char === "," && depth === 0) {
      parts.push(actions.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, actions.slice(start)];
}

/** The packet as it enters the next bridge by this port: registers and conntrack do not cross. */
export function entering({ fields }: Sent, port: number): Fields {
  const kept = Object.entries(fields).filter(([field]) => !/^(?:reg|ct_)/.test(field));
  return { ...Object.fromEntries(kept), in_port: String(port) };
}

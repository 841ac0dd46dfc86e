import { type Cidr, cidr, containsIp, parseIp } from "../../../src/domain/cidr.js";
import type { Flow, Match } from "../../../src/openflow/flow.js";

/** Fields by name, in the switch's spelling; registers that are absent are 0. */
export type Fields = Readonly<Record<string, string | true>>;

export interface Sent {
  readonly port: string;
  readonly fields: Fields;
}

/**
 * What one bridge does with a packet, by the rules of OpenFlow: in each table the flow of the
 * highest priority that matches, its actions in order, on in the table that it names.
 * @returns what is sent, by port; ports and the actions `move` and `dec_ttl` are not looked into
 */
export function runBridge(flows: readonly Flow[], packet: Fields): Sent[] {
  const sent: Sent[] = [];
  let fields = packet;
  for (let table: number | undefined = 0; table !== undefined; ) {
    const step: Step = act(fields, bestMatch(flows, table, fields)?.actions ?? "drop");
    sent.push(...step.sent);
    ({ fields, table } = step);
  }
  return sent;
}

interface Step {
  readonly fields: Fields;
  readonly sent: readonly Sent[];
  readonly table: number | undefined;
}

/** @throws Error when two flows of one priority match: the switch may take either */
export function bestMatch(flows: readonly Flow[], table: number, packet: Fields): Flow | undefined {
  const matching = flows.filter((flow) => flow.table === table && matches(flow.match, packet));
  const highest = Math.max(...matching.map(({ priority }) => priority));
  const best = matching.filter(({ priority }) => priority === highest);
  if (best.length > 1) throw new Error(`ambiguous: ${JSON.stringify(best.map((f) => f.match))}`);
  return best[0];
}

function matches(match: Match, packet: Fields): boolean {
  return Object.entries(match).every(([field, wanted]) => {
    const value = packet[field] ?? (field.startsWith("reg") ? "0" : undefined);
    if (field !== "nw_src" && field !== "nw_dst") return value === wanted;
    const ip = typeof value === "string" ? parseIp(value) : undefined;
    return ip !== undefined && typeof wanted === "string" && containsIp(blockOf(wanted), ip);
  });
}

function blockOf(text: string): Cidr {
  return cidr(text.includes("/") ? text : `${text}/32`);
}

const SET_FIELD = /^set_field:(.+)->(\w+)$/;
const ALIASES: Readonly<Record<string, string>> = { eth_src: "dl_src", eth_dst: "dl_dst" };

function act(packet: Fields, actions: string): Step {
  const fields: Record<string, string | true> = { ...packet };
  const sent: Sent[] = [];
  let table: number | undefined;
  for (const action of actions.split(",")) {
    const [, value, field] = SET_FIELD.exec(action) ?? [];
    if (value !== undefined && field !== undefined) fields[ALIASES[field] ?? field] = value;
    else if (action.startsWith("output:")) sent.push({ port: action.slice(7), fields });
    else if (action.startsWith("goto_table:")) table = Number(action.slice(11));
  }
  return { fields, sent, table };
}

/** The packet as it enters the next bridge by this port: registers do not cross. */
export function entering({ fields }: Sent, port: number): Fields {
  const kept = Object.entries(fields).filter(([field]) => !field.startsWith("reg"));
  return { ...Object.fromEntries(kept), in_port: String(port) };
}

import { REGISTERS } from "../../../pipeline/registers.js";

/** What `ofproto/trace` says of a packet until it is dropped, sent, or handed to conntrack. */
export interface TracedPart {
  /** The bridges that it comes through, in order, each with its tables, those looked into left out. */
  readonly bridges: readonly { readonly name: string; readonly tables: readonly number[] }[];
  /** The OpenFlow port of the last bridge that it leaves by; undefined when it leaves by none. */
  readonly output: number | "IN_PORT" | undefined;
  /** The flow with which it comes back from conntrack. */
  readonly resumed: string | undefined;
  /** Whether conntrack was told to remember the connection before it comes back. */
  readonly remembered: boolean;
}

/** The recirculation that a trace began with was forgotten meanwhile. */
export class ForgottenRecirculation extends Error {
  override readonly name = "ForgottenRecirculation";
}

const SEPARATOR = /^={20,}$/m;
const BRIDGE = /^\s*bridge\("([^"]+)"\)$/;
/** Tables that are looked into stand further to the right. */
const TABLE = /^ ?(\d+)\. /;
const OUTPUT = /^\s+(?:output:(\d+)|(IN_PORT))$/;

/**
 * Reads the first part of a trace. What follows a recirculation is left out but for the flow that
 * it goes on with: the trace knows no connections, so it has to be asked again with one.
 * @param turn whose copy is followed, where interfaces share an address; the first one's unless told
 * @throws Error when it is not the text of a trace
 */
export function readTrace(text: string, turn?: number): TracedPart {
  const [first = "", ...rest] = text.split(SEPARATOR);
  if (/Recirculation context not found/.test(first)) throw new ForgottenRecirculation(first);
  const actions = /^Datapath actions: (.*)$/m.exec(first)?.[1];
  if (actions === undefined) throw new Error(`not a trace: ${text.slice(0, 500)}`);
  const bridges: { name: string; tables: number[] }[] = [];
  let output: TracedPart["output"];
  for (const line of first.split("\n")) {
    const [, name] = BRIDGE.exec(line) ?? [];
    if (name !== undefined) bridges.push({ name, tables: [] });
    const [, table] = TABLE.exec(line) ?? [];
    if (table !== undefined) bridges.at(-1)?.tables.push(Number(table));
    const [, port, back] = OUTPUT.exec(line) ?? [];
    if (port !== undefined) output = Number(port);
    if (back !== undefined) output = "IN_PORT";
  }
  const resumed = resumedFlow(actions, rest.join(""), turn);
  const remembered = /ct\(commit[^()]*\),recirc\(/.test(actions);
  return { bridges, output: sends(actions) ? output : undefined, resumed, remembered };
}

function resumedFlow(actions: string, rest: string, turn: number | undefined): string | undefined {
  const ids = [...actions.matchAll(/recirc\((0x[0-9a-f]+)\)/g)].map(([, id]) => id);
  if (ids.length === 0) return undefined;
  const isCopy = (line: string) => ids.some((id) => line.startsWith(`Flow: recirc_id=${id},`));
  const [first, ...others] = rest.split("\n").filter(isCopy);
  if (first === undefined) throw new Error(`the trace does not go on with recirc(${ids[0]})`);
  const meant = turn !== undefined && `,${REGISTERS.interface.field}=0x${turn.toString(16)},`;
  const flow = others.find((line) => meant !== false && line.includes(meant)) ?? first;
  return flow.slice("Flow: ".length);
}

/** Whether a number stands for itself among the actions: a port of the datapath. */
function sends(actions: string): boolean {
  let bare = actions;
  while (/\([^()]*\)/.test(bare)) bare = bare.replaceAll(/\([^()]*\)/g, "");
  return bare.split(",").some((action) => /^\d+$/.test(action));
}

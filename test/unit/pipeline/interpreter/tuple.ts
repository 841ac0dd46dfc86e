import type { Fields } from "./fields.js";

/** What conntrack tells connections by; ports are 0 where the protocol has none. */
export interface Tuple {
  readonly protocol: number;
  readonly source: string;
  readonly target: string;
  /** Ports; of ICMP the identifier, and the type, which differs in the answer. */
  readonly from: number;
  readonly to: number;
}

const ICMP = 1;
const WITH_PORTS = new Set([6, 17]);

/** Queries of ICMP and the answers to them; only queries open connections. */
const ANSWERS: ReadonlyMap<number, number> = new Map([
  [8, 0],
  [13, 14],
  [15, 16],
]);
const QUERIES: ReadonlyMap<number, number> = new Map([...ANSWERS].map(([q, a]) => [a, q]));

export function isQuery(type: number): boolean {
  return ANSWERS.has(type);
}

export function tupleOf(packet: Fields): Tuple {
  const number = (field: string) => Number(packet[field] ?? 0);
  const protocol = number("nw_proto");
  const ends = { protocol, source: String(packet["nw_src"]), target: String(packet["nw_dst"]) };
  if (protocol === ICMP) return { ...ends, from: number("icmp_id"), to: number("icmp_type") };
  if (!WITH_PORTS.has(protocol)) return { ...ends, from: 0, to: 0 };
  return { ...ends, from: number("tp_src"), to: number("tp_dst") };
}

export function reversed({ protocol, source, target, from, to }: Tuple): Tuple {
  const ends = { protocol, source: target, target: source };
  if (protocol !== ICMP) return { ...ends, from: to, to: from };
  return { ...ends, from, to: ANSWERS.get(to) ?? QUERIES.get(to) ?? to };
}

export function tupleKey({ protocol, source, target, from, to }: Tuple): string {
  return [protocol, source, target, from, to].join(" ");
}

/** The packet that has a tuple. */
export function packetOf(tuple: Tuple): Fields {
  const { protocol, source, target, from, to } = tuple;
  const head = { ip: true, nw_proto: String(protocol), nw_src: source, nw_dst: target } as const;
  if (protocol === ICMP) {
    return { ...head, icmp: true, icmp_id: String(from), icmp_type: String(to), icmp_code: "0" };
  }
  if (!WITH_PORTS.has(protocol)) return head;
  return { ...head, tp_src: String(from), tp_dst: String(to) };
}

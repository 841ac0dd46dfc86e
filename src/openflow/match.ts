import type { Match } from "./flow.js";

/** The order in which the switch prints fields (measured, and lib/match.c of Open vSwitch 3.1). */
const BEFORE_PROTOCOL = [
  "conj_id",
  "pkt_mark",
  "ct_state",
  "ct_zone",
  "ct_mark",
  "ct_label",
  "ct_nw_src",
  "ct_nw_dst",
  "ct_nw_proto",
  "ct_tp_src",
  "ct_tp_dst",
];
const REGISTERS = Array.from({ length: 16 }, (_, index) => `reg${index}`);
const AFTER_PROTOCOL = [
  ...REGISTERS,
  "metadata",
  "in_port",
  "vlan_tci",
  "dl_vlan",
  "dl_vlan_pcp",
  "dl_src",
  "dl_dst",
  "dl_type",
  "nw_src",
  "nw_dst",
  "ipv6_src",
  "ipv6_dst",
  "arp_spa",
  "arp_tpa",
  "nw_proto",
  "arp_op",
  "arp_sha",
  "arp_tha",
  "nw_tos",
  "nw_ecn",
  "nw_ttl",
  "nw_frag",
  "icmp_type",
  "icmp_code",
  "tp_src",
  "tp_dst",
  "tcp_flags",
];

const PROTOCOL_RANK = BEFORE_PROTOCOL.length;
const UNKNOWN_RANK = PROTOCOL_RANK + 1 + AFTER_PROTOCOL.length;
const RANKS: ReadonlyMap<string, number> = new Map([
  ...BEFORE_PROTOCOL.map((field, index) => [field, index] as const),
  ...AFTER_PROTOCOL.map((field, index) => [field, PROTOCOL_RANK + 1 + index] as const),
]);

/** The match as the switch prints it, such as `ip,in_port=1,nw_src=10.0.0.0/16`; may be empty. */
export function formatMatch(match: Match): string {
  return Object.entries(match)
    .sort(([a, left], [b, right]) => rank(a, left) - rank(b, right))
    .map(formatField)
    .join(",");
}

/** The match with its fields in alphabetical order: equal for equal matches. */
export function matchKey(match: Match): string {
  return Object.entries(match).map(formatField).sort().join(",");
}

function formatField([field, value]: [string, string | true]): string {
  return value === true ? field : `${field}=${value}`;
}

function rank(field: string, value: string | true): number {
  return value === true ? PROTOCOL_RANK : (RANKS.get(field) ?? UNKNOWN_RANK);
}

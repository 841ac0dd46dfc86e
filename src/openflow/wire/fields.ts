/** How a field's value is spelled by the switch. */
export type FieldKind = "number" | "mac" | "ipv4" | "ctState" | "tcpFlags" | "fragment" | "vlanTag";

/** A field as it stands in matches and actions on the wire (OpenFlow 1.4, section 7.2.3.2). */
export interface WireField {
  /** Class and number make the upper 23 bits of its header. */
  readonly oxmClass: number;
  readonly oxmField: number;
  readonly bytes: number;
  readonly kind: FieldKind;
  /** Who has defined the field, where its class does not tell: it stands before the value. */
  readonly experimenter?: number;
}

type Entry = readonly [name: string, field: WireField];

/** Of the standard; the first of Nicira's own, which `move` still uses; and Nicira's later ones. */
const CLASSES = { basic: 0x8000, nicira0: 0x0000, nicira: 0x0001 } as const;

const basic = fieldOf(CLASSES.basic);
const nicira0 = fieldOf(CLASSES.nicira0);
/** Described in ovs-fields(7). */
const nicira = fieldOf(CLASSES.nicira);

const REGISTERS = Array.from({ length: 16 }, (_, index) => index);

/**
 * Fields of matches, in the order in which they are written: what others depend on first. It is
 * that of ovs-ofctl, so that the two can be compared.
 */
export const MATCH_FIELDS: ReadonlyMap<string, WireField> = new Map<string, WireField>([
  ["conj_id", nicira(37, 4)],
  ["in_port", basic(0, 4)],
  ["dl_src", basic(4, 6, "mac")],
  ["dl_dst", basic(3, 6, "mac")],
  ["vlan_tci", basic(6, 2, "vlanTag")],
  ["dl_type", basic(5, 2)],
  ["nw_src", basic(11, 4, "ipv4")],
  ["nw_dst", basic(12, 4, "ipv4")],
  ["nw_frag", nicira(26, 1, "fragment")],
  ["nw_proto", basic(10, 1)],
  ["tcp_flags", onfExtension(42, 2, "tcpFlags")],
  ["icmp_type", basic(19, 1)],
  ["icmp_code", basic(20, 1)],
  ["arp_op", basic(21, 2)],
  ["arp_spa", basic(22, 4, "ipv4")],
  ["arp_tpa", basic(23, 4, "ipv4")],
  ["arp_sha", basic(24, 6, "mac")],
  ...REGISTERS.map((index): Entry => [`reg${index}`, nicira(index, 4)]),
  ["ct_state", nicira(105, 4, "ctState")],
  ["ct_mark", nicira(107, 4)],
  ["ct_label", nicira(108, 16)],
  ["ct_nw_src", nicira(120, 4, "ipv4")],
  ["ct_nw_dst", nicira(121, 4, "ipv4")],
  ["ct_nw_proto", nicira(119, 1)],
  ["ct_tp_dst", nicira(125, 2)],
]);

/** Fields that `set_field` sets. */
export const SET_FIELDS: ReadonlyMap<string, WireField> = new Map<string, WireField>([
  ["eth_src", basic(4, 6, "mac")],
  ["eth_dst", basic(3, 6, "mac")],
  ["ip_src", basic(11, 4, "ipv4")],
  ["nw_ttl", nicira(29, 1)],
  ["icmp_type", basic(19, 1)],
  ["arp_op", basic(21, 2)],
  ["arp_spa", basic(22, 4, "ipv4")],
  ["arp_sha", basic(24, 6, "mac")],
  ...REGISTERS.map((index): Entry => [`reg${index}`, nicira(index, 4)]),
]);

/** Fields of which `move` and `ct` take bits; names without brackets. */
export const PART_FIELDS: ReadonlyMap<string, WireField> = new Map<string, WireField>([
  ["NXM_OF_ETH_DST", nicira0(1, 6)],
  ["NXM_OF_ETH_SRC", nicira0(2, 6)],
  ["NXM_OF_IP_SRC", nicira0(7, 4)],
  ["NXM_OF_IP_DST", nicira0(8, 4)],
  ["NXM_OF_ICMP_TYPE", nicira0(13, 1)],
  ["NXM_OF_ICMP_CODE", nicira0(14, 1)],
  ["NXM_OF_ARP_SPA", nicira0(16, 4)],
  ["NXM_OF_ARP_TPA", nicira0(17, 4)],
  ["NXM_NX_ARP_SHA", nicira(17, 6)],
  ["NXM_NX_ARP_THA", nicira(18, 6)],
  ...REGISTERS.map((index): Entry => [`NXM_NX_REG${index}`, nicira(index, 4)]),
  ["NXM_NX_CT_MARK", nicira(107, 4)],
  ["NXM_NX_CT_LABEL", nicira(108, 16)],
]);

/** Of the Open Networking Foundation's extensions (EXT-109, before OpenFlow 1.5 had it). */
function onfExtension(oxmField: number, bytes: number, kind: FieldKind): WireField {
  return { oxmClass: 0xffff, oxmField, bytes, kind, experimenter: 0x4f4e4600 };
}

function fieldOf(oxmClass: number) {
  return (oxmField: number, bytes: number, kind: FieldKind = "number"): WireField => ({
    oxmClass,
    oxmField,
    bytes,
    kind,
  });
}

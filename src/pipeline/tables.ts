import { declareTables } from "./table.js";

/** The tables of a VPC's bridge. Order matters: packets only move down. */
export const VPC_TABLES = declareTables({
  classify: {
    purpose: "sorts packets by where they enter: an interface or the exchange",
    matches: ["ip", "in_port", "vlan_tci", "nw_frag"],
    actions: ["set_field", "goto_table"],
    next: ["spoofGuard", "exchangeIngress"],
  },
  spoofGuard: {
    purpose: "lets an interface send only as itself, and only to its router",
    matches: ["ip", "arp", "in_port", "dl_src", "dl_dst", "nw_src", "arp_spa", "arp_sha", "arp_op"],
    actions: ["set_field", "goto_table"],
    next: ["arp", "route", "drops"],
  },
  arp: {
    purpose: "answers ARP for every gateway and every bound interface with the router's MAC",
    matches: ["conj_id", "arp", "reg0", "arp_spa", "arp_tpa", "arp_op"],
    actions: ["move", "set_field", "conjunction", "IN_PORT"],
    next: [],
  },
  route: {
    purpose: "finds the next hop by longest prefix; answers pings to gateways",
    matches: ["ip", "icmp", "reg2", "nw_dst", "icmp_type", "icmp_code"],
    actions: ["move", "set_field", "IN_PORT", "goto_table"],
    next: ["egressTrack", "drops"],
  },
  egressTrack: {
    purpose: "looks the connection up among those that the sender has opened",
    matches: ["ip"],
    actions: ["ct"],
    next: ["egressState"],
  },
  egressState: {
    purpose: "asks the sender's security groups about what it has opened; looks further for others",
    matches: ["ip", "ct_state"],
    actions: ["set_field", "move", "resubmit", "ct", "goto_table"],
    next: ["egressOther", "egressVerdict"],
    calls: ["continuity", "memberships"],
  },
  egressOther: {
    purpose: "tells answers from new connections and asks the sender's security groups",
    matches: ["ip", "icmp", "tcp", "ct_state", "reg10", "tcp_flags"],
    actions: ["set_field", "move", "resubmit", "goto_table"],
    next: ["egressVerdict", "drops"],
    calls: ["continuity", "memberships"],
  },
  egressVerdict: {
    purpose: "remembers what the sender may open, and drops what its groups do not allow",
    matches: ["ip", "ct_state", "reg7", "reg8"],
    actions: ["set_field", "ct", "goto_table"],
    next: ["egressRoom", "peering", "drops"],
  },
  egressRoom: {
    purpose: "drops what opens a connection that the sender has no room for",
    matches: ["ip", "ct_label"],
    actions: ["set_field", "goto_table"],
    next: ["peering", "drops"],
  },
  peering: {
    purpose: "sends packets between the blocks of two peers to the exchange",
    matches: ["ip", "reg1", "nw_src", "nw_dst"],
    actions: ["set_field", "dec_ttl", "output", "goto_table"],
    next: ["ingressTrack", "drops"],
  },
  exchangeIngress: {
    purpose: "admits packets from the exchange: from a peer's router and blocks, to own blocks",
    matches: ["ip", "in_port", "dl_src", "dl_dst", "nw_src", "nw_dst"],
    actions: ["set_field", "goto_table"],
    next: ["ingressSubnet"],
  },
  ingressSubnet: {
    purpose: "finds the route table of the subnet that a packet from a peer is for",
    matches: ["ip", "nw_dst"],
    actions: ["set_field", "goto_table"],
    next: ["returnRoute"],
  },
  returnRoute: {
    purpose: "where peers' blocks overlap, admits only sources that are routed to their peering",
    matches: ["ip", "reg1", "reg2", "nw_src"],
    actions: ["goto_table"],
    next: ["ingressTrack"],
  },
  ingressTrack: {
    purpose:
      "finds the receiver, or those that share an address, and looks the connection up among those opened to it",
    matches: ["ip", "nw_dst"],
    actions: ["set_field", "ct"],
    next: ["ingressState"],
  },
  ingressState: {
    purpose:
      "asks the receiver's security groups about what was opened to it; looks further for others",
    matches: ["ip", "ct_state"],
    actions: ["set_field", "move", "resubmit", "ct", "goto_table"],
    next: ["ingressOther", "ingressVerdict"],
    calls: ["continuity", "memberships"],
  },
  ingressOther: {
    purpose: "tells answers from new connections and asks the receiver's security groups",
    matches: ["ip", "icmp", "ct_state", "reg10"],
    actions: ["set_field", "move", "resubmit", "goto_table"],
    next: ["ingressVerdict", "drops"],
    calls: ["continuity", "memberships"],
  },
  ingressVerdict: {
    purpose:
      "remembers what the receiver may be called for, and drops what its groups do not allow",
    matches: ["ip", "ct_state", "reg7", "reg8"],
    actions: ["set_field", "ct", "goto_table"],
    next: ["ingressRoom", "ingressAdmission", "drops"],
  },
  ingressRoom: {
    purpose: "drops what opens a connection that the receiver has no room for",
    matches: ["ip", "ct_label"],
    actions: ["set_field", "goto_table"],
    next: ["ingressAdmission", "drops"],
  },
  ingressAdmission: {
    purpose: "admits once more what conntrack has held: its peering may have ended meanwhile",
    matches: ["ip", "reg1", "nw_src", "nw_dst"],
    actions: ["goto_table"],
    next: ["deliver"],
  },
  deliver: {
    purpose: "hands packets to the interface that has the destination address, or has it allowed",
    matches: ["ip", "reg0", "nw_dst"],
    actions: ["set_field", "output"],
    next: [],
  },
  continuity: {
    purpose: "looked into: whether a known connection was made through the packet's peering",
    matches: ["ip", "ct_mark", "reg1"],
    actions: ["set_field"],
    next: [],
  },
  memberships: {
    purpose: "looked into: the security groups of the interface, one after another",
    matches: ["reg0"],
    actions: ["set_field", "resubmit"],
    next: [],
    calls: ["rules"],
  },
  rules: {
    purpose: "looked into: what a security group allows, by the packet that opened the connection",
    matches: [
      "ip",
      "conj_id",
      "ct_state",
      "ct_nw_src",
      "ct_nw_dst",
      "ct_nw_proto",
      "ct_tp_dst",
      "nw_proto",
      "reg1",
      "reg4",
      "reg5",
      "reg6",
    ],
    actions: ["set_field", "conjunction"],
    next: [],
  },
  drops: {
    purpose: "drops, and counts by interface and reason",
    matches: ["reg0", "reg9"],
    actions: [],
    next: [],
  },
});

/** The one table of the exchange bridge. */
export const EXCHANGE_TABLES = declareTables({
  admission: {
    purpose: "passes packets between the routers of two peers, by port, MAC and block; else drops",
    matches: ["ip", "in_port", "dl_src", "dl_dst", "nw_src", "nw_dst"],
    actions: ["output"],
    next: [],
  },
});

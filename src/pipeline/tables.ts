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
    actions: ["goto_table"],
    next: ["arp", "route"],
  },
  arp: {
    purpose: "answers ARP for every gateway and every bound interface with the router's MAC",
    matches: ["arp", "reg0", "arp_tpa", "arp_op"],
    actions: ["move", "set_field", "IN_PORT"],
    next: [],
  },
  route: {
    purpose: "finds the next hop by longest prefix; answers pings to gateways",
    matches: ["ip", "icmp", "reg2", "nw_dst", "icmp_type", "icmp_code"],
    actions: ["move", "set_field", "IN_PORT", "goto_table"],
    next: ["egressPolicy"],
  },
  egressPolicy: {
    purpose: "the place of the sender's security groups; at present passes everything",
    matches: ["ip", "reg1"],
    actions: ["goto_table"],
    next: ["peering", "ingressPolicy"],
  },
  peering: {
    purpose: "sends packets between the blocks of two peers to the exchange",
    matches: ["ip", "reg1", "nw_src", "nw_dst"],
    actions: ["set_field", "dec_ttl", "output"],
    next: [],
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
    next: ["ingressPolicy"],
  },
  ingressPolicy: {
    purpose: "the place of the receiver's security groups; at present passes everything",
    matches: ["ip"],
    actions: ["goto_table"],
    next: ["deliver"],
  },
  deliver: {
    purpose: "hands packets to the interface that has the destination address",
    matches: ["ip", "nw_dst"],
    actions: ["set_field", "output"],
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

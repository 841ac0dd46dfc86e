import { hostBlock } from "../domain/cidr.js";
import type { AddressPairIntent } from "../domain/intent.js";
import { ownIps } from "../domain/interface-addresses.js";
import { gotoTable } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { dropFor } from "./drops.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES } from "./priorities.js";
import { VPC_TABLES } from "./tables.js";

/**
 * An interface sends IPv4 from its own addresses, and from those that it is allowed, to its own
 * router, and ARP requests as whoever has them.
 */
export function senderFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  const own = ownIps(eni).map((ip) => ({ block: hostBlock(ip), mac: eni.mac }));
  return [...own, ...eni.addressPairs].flatMap((sender) => [
    ipv4SenderFlow(context, eni, sender),
    arpSenderFlow(context, eni, sender),
  ]);
}

/** What no interface may send. */
export function spoofGuardFlows(context: VpcContext): Flow[] {
  return [refusalFlow(context, "ip"), refusalFlow(context, "arp")];
}

/** Other protocols are dropped by the table miss and not held against anybody: hosts try IPv6. */
function refusalFlow(context: VpcContext, protocol: "ip" | "arp"): Flow {
  return vpcFlow(context, "spoofGuard", ofVpc(context), {
    priority: PRIORITIES.fallback.value,
    match: { [protocol]: true },
    actions: dropFor("spoofed"),
  });
}

/** The destination MAC keeps out frames addressed straight to a peer's router. */
function ipv4SenderFlow(
  context: VpcContext,
  eni: BoundInterface,
  { block, mac }: AddressPairIntent,
): Flow {
  return vpcFlow(context, "spoofGuard", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: {
      ip: true,
      in_port: String(eni.port),
      dl_src: mac,
      dl_dst: context.router,
      ...blockMatch("nw_src", block),
    },
    actions: [gotoTable(VPC_TABLES.route.number)],
  });
}

/** Probes (sender 0.0.0.0, RFC 5227) go unanswered: nobody else can have the asker's address. */
function arpSenderFlow(
  context: VpcContext,
  eni: BoundInterface,
  { block, mac }: AddressPairIntent,
): Flow {
  return vpcFlow(context, "spoofGuard", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: {
      arp: true,
      in_port: String(eni.port),
      dl_src: mac,
      ...blockMatch("arp_spa", block),
      arp_op: "1",
      arp_sha: mac,
    },
    actions: [gotoTable(VPC_TABLES.arp.number)],
  });
}

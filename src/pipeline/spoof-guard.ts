import { formatIp } from "../domain/cidr.js";
import { gotoTable } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { dropFor } from "./drops.js";
import { PRIORITIES } from "./priorities.js";
import { VPC_TABLES } from "./tables.js";

/** An interface sends IPv4 from its own addresses to its own router, and ARP requests as itself. */
export function senderFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  return [ipv4SenderFlow(context, eni), arpSenderFlow(context, eni)];
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
function ipv4SenderFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "spoofGuard", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: {
      ip: true,
      in_port: String(eni.port),
      dl_src: eni.mac,
      dl_dst: context.router,
      nw_src: formatIp(eni.ip),
    },
    actions: [gotoTable(VPC_TABLES.route.number)],
  });
}

/** Probes (sender 0.0.0.0, RFC 5227) go unanswered: nobody else can have the asker's address. */
function arpSenderFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "spoofGuard", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: {
      arp: true,
      in_port: String(eni.port),
      dl_src: eni.mac,
      arp_spa: formatIp(eni.ip),
      arp_op: "1",
      arp_sha: eni.mac,
    },
    actions: [gotoTable(VPC_TABLES.arp.number)],
  });
}

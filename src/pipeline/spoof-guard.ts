import { formatIp } from "../domain/cidr.js";
import { gotoTable } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { VPC_TABLES } from "./tables.js";

/** An interface sends IPv4 from its own addresses to its own router, and ARP requests as itself. */
export function spoofGuardFlows(context: VpcContext): Flow[] {
  return context.interfaces.flatMap((eni) => [
    ipv4SenderFlow(context, eni),
    arpSenderFlow(context, eni),
  ]);
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

import { formatIp, type Ip } from "../domain/cidr.js";
import { type Action, move, setField, toIngressPort } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import {
  type BoundInterface,
  ofInterface,
  ofVpc,
  type Subject,
  type VpcContext,
  vpcFlow,
} from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";

const ARP_REQUEST = "1";
const ARP_REPLY = "2";

/** Every address of the VPC answers with the router's MAC; nothing is flooded. */
export function gatewayArpFlows(context: VpcContext): Flow[] {
  return context.vpc.subnets.map(({ gateway }) => answerFlow(context, ofVpc(context), gateway));
}

export function interfaceArpFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  return [answerFlow(context, ofInterface(eni), eni.ip), ownAddressFlow(context, eni)];
}

function answerFlow(context: VpcContext, subject: Subject, address: Ip): Flow {
  return vpcFlow(context, "arp", subject, {
    priority: PRIORITIES.ordinary.value,
    match: { arp: true, arp_tpa: formatIp(address), arp_op: ARP_REQUEST },
    actions: answerActions(context.router, formatIp(address)),
  });
}

/** An answer to a question about the asker's own address would look like a duplicate to it. */
function ownAddressFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "arp", ofInterface(eni), {
    priority: PRIORITIES.exception.value,
    match: {
      arp: true,
      ...registerMatch(REGISTERS.interface, eni.number),
      arp_tpa: formatIp(eni.ip),
    },
    actions: [],
  });
}

/** Turns a request into its answer (RFC 826); the sender's address moves before it is replaced. */
function answerActions(mac: string, address: string): Action[] {
  return [
    move("NXM_OF_ETH_SRC", "NXM_OF_ETH_DST"),
    setField("eth_src", mac),
    setField("arp_op", ARP_REPLY),
    move("NXM_NX_ARP_SHA", "NXM_NX_ARP_THA"),
    setField("arp_sha", mac),
    move("NXM_OF_ARP_SPA", "NXM_OF_ARP_TPA"),
    setField("arp_spa", address),
    toIngressPort,
  ];
}

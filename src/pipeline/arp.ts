import { type Cidr, formatIp, type Ip } from "../domain/cidr.js";
import { ownIps } from "../domain/interface-addresses.js";
import { type Action, move, setField, toIngressPort } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { announcementFlows } from "./announcements.js";
import {
  type BoundInterface,
  ofInterface,
  ofVpc,
  type Subject,
  type VpcContext,
  vpcFlow,
} from "./context.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES, pairPriority } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";

const ARP_REQUEST = "1";
const ARP_REPLY = "2";

/** Every address of the VPC answers with the router's MAC; nothing is flooded. */
export function gatewayArpFlows(context: VpcContext): Flow[] {
  return context.vpc.subnets.map(({ gateway }) => answerFlow(context, ofVpc(context), gateway));
}

export function interfaceArpFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  return ownIps(eni).flatMap((ip) => [
    answerFlow(context, ofInterface(eni), ip),
    ownAddressFlow(context, eni, ip),
  ]);
}

/**
 * For addresses that several may have: whoever asks gets the router's MAC all the same, but who
 * announces that he has one. He, too, would take the answer for a duplicate.
 */
export function pairArpFlows(context: VpcContext, block: Cidr): Flow[] {
  return [pairAnswerFlow(context, block), ...announcementFlows(context, block)];
}

function pairAnswerFlow(context: VpcContext, block: Cidr): Flow {
  return vpcFlow(context, "arp", ofVpc(context), {
    priority: pairPriority(block.prefix),
    match: { arp: true, ...blockMatch("arp_tpa", block), arp_op: ARP_REQUEST },
    actions: answerForAskedActions(context.router),
  });
}

function answerFlow(context: VpcContext, subject: Subject, address: Ip): Flow {
  return vpcFlow(context, "arp", subject, {
    priority: PRIORITIES.ordinary.value,
    match: { arp: true, arp_tpa: formatIp(address), arp_op: ARP_REQUEST },
    actions: answerActions(context.router, formatIp(address)),
  });
}

/** An answer to a question about the asker's own address would look like a duplicate to it. */
function ownAddressFlow(context: VpcContext, eni: BoundInterface, ip: Ip): Flow {
  return vpcFlow(context, "arp", ofInterface(eni), {
    priority: PRIORITIES.exception.value,
    match: {
      arp: true,
      ...registerMatch(REGISTERS.interface, eni.number),
      arp_tpa: formatIp(ip),
    },
    actions: [],
  });
}

/** Turns a request into its answer (RFC 826); the sender's address moves before it is replaced. */
function answerActions(mac: string, address: string): Action[] {
  return [
    ...answerFrom(mac),
    move("NXM_OF_ARP_SPA", "NXM_OF_ARP_TPA"),
    setField("arp_spa", address),
    toIngressPort,
  ];
}

/** As above, where the address is known from the request alone. */
function answerForAskedActions(mac: string): Action[] {
  return [
    ...answerFrom(mac),
    move("NXM_OF_ARP_TPA", ASKED_ADDRESS),
    move("NXM_OF_ARP_SPA", "NXM_OF_ARP_TPA"),
    move(ASKED_ADDRESS, "NXM_OF_ARP_SPA"),
    toIngressPort,
  ];
}

/** The register as `move` names it. */
const ASKED_ADDRESS = `NXM_NX_${REGISTERS.askedAddress.field.toUpperCase()}`;

function answerFrom(mac: string): Action[] {
  return [
    move("NXM_OF_ETH_SRC", "NXM_OF_ETH_DST"),
    setField("eth_src", mac),
    setField("arp_op", ARP_REPLY),
    move("NXM_NX_ARP_SHA", "NXM_NX_ARP_THA"),
    setField("arp_sha", mac),
  ];
}

import type { Cidr } from "../domain/cidr.js";
import { gotoTable } from "../openflow/action.js";
import type { Flow, Match } from "../openflow/flow.js";
import { blockPairs } from "./block-pairs.js";
import {
  type OwnPeering,
  ofPeering,
  ofVpc,
  type Subject,
  type VpcContext,
  vpcFlow,
} from "./context.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES } from "./priorities.js";
import { LOCAL, REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/**
 * Between admission and delivery conntrack holds a packet twice, and the kernel datapath lets it wait
 * for ovs-vswitchd each time: its peering may have ended meanwhile.
 */
export function readmissionFlows(context: VpcContext, peering: OwnPeering): Flow[] {
  const { own, peer, number } = peering;
  return blockPairs(own.blocks, peer.blocks).map(([destination, source]) =>
    readmissionFlow(context, ofPeering(peering), number, betweenBlocks(source, destination)),
  );
}

export function localReadmissionFlow(context: VpcContext): Flow {
  return readmissionFlow(context, ofVpc(context), LOCAL);
}

function betweenBlocks(source: Cidr, destination: Cidr): Match {
  return { ...blockMatch("nw_src", source), ...blockMatch("nw_dst", destination) };
}

function readmissionFlow(
  context: VpcContext,
  subject: Subject,
  peering: number,
  blocks: Match = {},
): Flow {
  return vpcFlow(context, "ingressAdmission", subject, {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true, ...registerMatch(REGISTERS.peering, peering), ...blocks },
    actions: [gotoTable(VPC_TABLES.deliver.number)],
  });
}

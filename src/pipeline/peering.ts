import type { Cidr } from "../domain/cidr.js";
import { routerMac } from "../domain/mac.js";
import { decrementTtl, gotoTable, output, setField, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { blockPairs } from "./block-pairs.js";
import { type OwnPeering, ofPeering, ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES } from "./priorities.js";
import { LOCAL, REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/** Both ends of a peering on this bridge: out to the exchange and in from it. */
export function peeringFlows(context: VpcContext, peering: OwnPeering): Flow[] {
  const { uplink } = context;
  if (uplink === undefined) return [];
  return blockPairs(peering.own.blocks, peering.peer.blocks).flatMap(([own, peer]) => [
    egressFlow(context, peering, own, peer, uplink),
    ingressFlow(context, peering, own, peer, uplink),
  ]);
}

/** What stays in the VPC takes no peering. */
export function localFlow(context: VpcContext): Flow {
  return vpcFlow(context, "peering", ofVpc(context), {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true, ...registerMatch(REGISTERS.peering, LOCAL) },
    actions: [gotoTable(VPC_TABLES.ingressTrack.number)],
  });
}

/** The next hop is the peer's router by MAC: that survives the patch port, registers do not. */
function egressFlow(
  context: VpcContext,
  peering: OwnPeering,
  own: Cidr,
  peer: Cidr,
  uplink: number,
): Flow {
  return vpcFlow(context, "peering", ofPeering(peering), {
    priority: PRIORITIES.ordinary.value,
    match: {
      ip: true,
      ...registerMatch(REGISTERS.peering, peering.number),
      ...blockMatch("nw_src", own),
      ...blockMatch("nw_dst", peer),
    },
    actions: [
      setField("eth_src", context.router),
      setField("eth_dst", routerMac(peering.peer.vpcNumber)),
      decrementTtl,
      output(uplink),
    ],
  });
}

/** Own routes matter only where peers' blocks overlap: see the table returnRoute. */
function ingressFlow(
  context: VpcContext,
  peering: OwnPeering,
  own: Cidr,
  peer: Cidr,
  uplink: number,
): Flow {
  return vpcFlow(context, "exchangeIngress", ofPeering(peering), {
    priority: PRIORITIES.ordinary.value,
    match: {
      ip: true,
      in_port: String(uplink),
      dl_src: routerMac(peering.peer.vpcNumber),
      dl_dst: context.router,
      ...blockMatch("nw_src", peer),
      ...blockMatch("nw_dst", own),
    },
    actions: [
      setRegister(REGISTERS.peering.field, peering.number),
      gotoTable(VPC_TABLES.ingressSubnet.number),
    ],
  });
}

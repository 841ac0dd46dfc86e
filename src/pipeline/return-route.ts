import { type Cidr, contains, overlaps } from "../domain/cidr.js";
import type { RouteTableIntent, SubnetIntent } from "../domain/intent.js";
import { gotoTable, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type OwnPeering, ofPeering, ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES, returnRoutePriority } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/**
 * Two peers of one VPC may have the same addresses; its routes decide which of them is meant. A
 * packet of the other one would be answered to the wrong peer, so it is not let in.
 */
export function returnRouteFlows(context: VpcContext): Flow[] {
  return [
    ...context.vpc.subnets.map((subnet) => ingressSubnetFlow(context, subnet)),
    passFlow(context),
    ...contestedPeerings(context.peerings).flatMap((peering) => [
      unroutedFlow(context, peering),
      ...context.vpc.routeTables.flatMap((table) => routedFlows(context, peering, table)),
    ]),
  ];
}

function ingressSubnetFlow(context: VpcContext, subnet: SubnetIntent): Flow {
  return vpcFlow(context, "ingressSubnet", ofVpc(context), {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true, ...blockMatch("nw_dst", subnet.block) },
    actions: [
      setRegister(REGISTERS.routeTable.field, subnet.routeTable),
      gotoTable(VPC_TABLES.returnRoute.number),
    ],
  });
}

function passFlow(context: VpcContext): Flow {
  return vpcFlow(context, "returnRoute", ofVpc(context), {
    priority: PRIORITIES.uncontested.value,
    match: { ip: true },
    actions: pass(),
  });
}

/** Sorted, a block follows those that contain it: so each is compared with these alone. */
function contestedPeerings(peerings: readonly OwnPeering[]): OwnPeering[] {
  const contested = new Set<OwnPeering>();
  let around: PeerBlock[] = [];
  for (const peerBlock of sortedBlocks(peerings)) {
    around = around.filter(({ block }) => contains(block, peerBlock.block));
    for (const { peering } of around) {
      if (peering !== peerBlock.peering) contested.add(peering).add(peerBlock.peering);
    }
    around.push(peerBlock);
  }
  return peerings.filter((peering) => contested.has(peering));
}

interface PeerBlock {
  readonly block: Cidr;
  readonly peering: OwnPeering;
}

function sortedBlocks(peerings: readonly OwnPeering[]): PeerBlock[] {
  const all = peerings.flatMap((peering) =>
    peering.peer.blocks.map((block) => ({ block, peering })),
  );
  return all.sort(({ block: a }, { block: b }) => {
    if (a.family !== b.family) return a.family - b.family;
    if (a.base !== b.base) return a.base < b.base ? -1 : 1;
    return a.prefix - b.prefix;
  });
}

function unroutedFlow(context: VpcContext, peering: OwnPeering): Flow {
  return vpcFlow(context, "returnRoute", ofPeering(peering), {
    priority: PRIORITIES.unrouted.value,
    match: { ip: true, ...registerMatch(REGISTERS.peering, peering.number) },
    actions: [],
  });
}

/** The table's routes read backwards, longest prefix first. */
function routedFlows(context: VpcContext, peering: OwnPeering, table: RouteTableIntent): Flow[] {
  const concerned = table.routes.filter(({ destination }) =>
    peering.peer.blocks.some((block) => overlaps(block, destination)),
  );
  return concerned.map((route) =>
    vpcFlow(context, "returnRoute", ofPeering(peering), {
      priority: returnRoutePriority(route.destination.prefix),
      match: {
        ip: true,
        ...registerMatch(REGISTERS.peering, peering.number),
        ...registerMatch(REGISTERS.routeTable, table.number),
        ...blockMatch("nw_src", route.destination),
      },
      actions: route.peering === peering.number ? pass() : [],
    }),
  );
}

function pass() {
  return [gotoTable(VPC_TABLES.ingressTrack.number)];
}

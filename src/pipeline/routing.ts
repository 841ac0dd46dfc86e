import type { Cidr } from "../domain/cidr.js";
import { gotoTable, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { ofPeering, type Subject, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { routePriority } from "./priorities.js";
import { REGISTERS } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

const LOCAL = 0;

/** Routes to the VPC's own blocks, and to the blocks of peers where this side asked for them. */
export function routeFlows(context: VpcContext): Flow[] {
  const local: Subject = { category: "route", object: context.vpc.number };
  return [
    ...context.vpc.blocks.map((block) => routeFlow(context, local, block, LOCAL)),
    ...peeringRouteFlows(context),
  ];
}

function peeringRouteFlows(context: VpcContext): Flow[] {
  return context.peerings
    .filter((peering) => peering.own.autoRoutes)
    .flatMap((peering) =>
      peering.peer.blocks.map((block) =>
        routeFlow(context, ofPeering(peering), block, peering.number),
      ),
    );
}

function routeFlow(context: VpcContext, subject: Subject, block: Cidr, nextHop: number): Flow {
  return vpcFlow(context, "route", subject, {
    priority: routePriority(block.prefix),
    match: { ip: true, ...blockMatch("nw_dst", block) },
    actions: [
      setRegister(REGISTERS.peering.field, nextHop),
      gotoTable(VPC_TABLES.egressPolicy.number),
    ],
  });
}

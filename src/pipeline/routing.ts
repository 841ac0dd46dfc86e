import type { Cidr } from "../domain/cidr.js";
import type { RouteIntent, RouteTableIntent } from "../domain/intent.js";
import { gotoTable, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type Subject, type VpcContext, vpcFlow } from "./context.js";
import { dropFor } from "./drops.js";
import { blockMatch } from "./match-fields.js";
import { routePriority } from "./priorities.js";
import { LOCAL, REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/** The local routes, which every route table has. */
export function localRouteFlows(context: VpcContext): Flow[] {
  return context.vpc.blocks.map((block) => localRouteFlow(context, block));
}

/** In force in every table at once: no route of a table may lie inside a block of the VPC. */
function localRouteFlow(context: VpcContext, block: Cidr): Flow {
  const subject: Subject = { category: "vpc", object: context.vpc.number };
  return vpcFlow(context, "route", subject, {
    priority: routePriority(block.prefix),
    match: { ip: true, ...blockMatch("nw_dst", block) },
    actions: nextHop(LOCAL),
  });
}

/** Nothing that is plugged in sends by the others, and there may be many. */
export function tablesInUse({ vpc, interfaces }: VpcContext): RouteTableIntent[] {
  const numbers = new Set(interfaces.map(({ routeTable }) => routeTable));
  return vpc.routeTables.filter(({ number }) => numbers.has(number));
}

/** A blackhole has a flow of its own, or a shorter prefix would take its packets. */
export function tableRouteFlow(
  context: VpcContext,
  table: RouteTableIntent,
  route: RouteIntent,
): Flow {
  const subject: Subject = { category: "route", object: table.number };
  return vpcFlow(context, "route", subject, {
    priority: routePriority(route.destination.prefix),
    match: {
      ip: true,
      ...registerMatch(REGISTERS.routeTable, table.number),
      ...blockMatch("nw_dst", route.destination),
    },
    actions: route.peering === null ? dropFor("blackhole") : nextHop(route.peering),
  });
}

function nextHop(peering: number) {
  return [setRegister(REGISTERS.peering.field, peering), gotoTable(VPC_TABLES.egressTrack.number)];
}

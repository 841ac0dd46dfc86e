import type { z } from "zod";
import { type Cidr, formatCidr } from "../../../domain/cidr.js";
import type { DataPlaneView } from "../../../domain/data-plane.js";
import type { Route, RouteTable, WithheldRoute } from "../../../domain/resources.js";
import type { routeTableSchema } from "./schema.js";

export function presentRouteTable(
  table: RouteTable,
  view: DataPlaneView,
): z.output<typeof routeTableSchema> {
  return {
    id: table.id,
    vpcId: table.vpcId,
    tenantId: table.tenantId,
    main: table.main,
    routes: [...table.vpcBlocks.map(presentLocalRoute), ...table.routes.map(presentRoute)],
    withheldRoutes: table.withheldRoutes.map(presentWithheldRoute),
    associations: [...table.associations],
    createdAt: table.createdAt.toISOString(),
    dataPlane: view.status([table.vpcId], table.generation),
  };
}

function presentLocalRoute(block: Cidr) {
  const destinationCidrBlock = formatCidr(block);
  return { destinationCidrBlock, target: "local", state: "active", origin: "local" } as const;
}

function presentRoute({ destination, vpcPeeringId, origin, active }: Route) {
  return {
    destinationCidrBlock: formatCidr(destination),
    target: vpcPeeringId,
    state: active ? ("active" as const) : ("blackhole" as const),
    origin,
  };
}

function presentWithheldRoute(route: WithheldRoute) {
  const { destination, vpcPeeringId, contestedBy, withheldAt } = route;
  return {
    destinationCidrBlock: formatCidr(destination),
    target: vpcPeeringId,
    contestedBy,
    withheldAt: withheldAt.toISOString(),
  };
}

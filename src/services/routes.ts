import { anyBlock } from "../domain/address-plan.js";
import { type Cidr, contains, formatCidr } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { isTerminal } from "../domain/lifecycle.js";
import { type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { Route, RouteTable, VpcPeering } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findRouteTable, insertRoutes, removeRoute, retargetRoute } from "../store/route-tables.js";
import { findPeering } from "../store/vpc-peerings.js";
import { touchVpcs } from "../store/vpcs.js";
import { removeWithheldRoute } from "../store/withheld-routes.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { requirePeering } from "./peering-access.js";
import { resourceChange } from "./resource-change.js";
import { lockRouteTable, requireRouteTable } from "./route-tables.js";

const DESTINATION = "/destinationCidrBlock";

/**
 * Adds a route to a peering, to a whole block of the peer, a part of one, or (as EC2) any other
 * destination: what is outside the peer's blocks is dropped on its way.
 * @throws DomainError `RouteAlreadyExists`, `RouteLimitExceeded`, `InvalidParameterValue`, …
 */
export async function createRoute(
  ctx: ServiceContext,
  caller: Principal,
  routeTableId: string,
  input: { destinationCidrBlock: string; vpcPeeringId: string },
): Promise<RouteTable> {
  const destination = anyBlock(input.destinationCidrBlock, DESTINATION);
  const table = await inTransaction(ctx.db, async (tx) => {
    const locked = await lockRouteTable(tx, caller, routeTableId);
    requirePermission(caller, "route_table:update");
    refuseTakenDestination(locked, destination);
    const { vpcPeeringId } = input;
    requireTarget(ctx, caller, locked, vpcPeeringId, await findPeering(tx, vpcPeeringId));
    requireQuota(ctx.quotas, "routesPerTable", locked.routes.length);
    await insertRoutes(tx, [{ routeTableId, destination, vpcPeeringId, origin: "user" }]);
    await removeWithheldRoute(tx, routeTableId, destination, vpcPeeringId);
    return changed(tx, caller, locked);
  });
  await follow(ctx, [table.vpcId]);
  return table;
}

/**
 * Lets a route that was made by a call lead to another peering. The switch takes it in one step: no
 * packet finds the destination without a route. To where it leads already changes nothing.
 * @throws DomainError `NotFound`, `InvalidParameterValue` for a local route and for one that came
 * with a peering; of the peering as `createRoute`
 */
export async function replaceRoute(
  ctx: ServiceContext,
  caller: Principal,
  routeTableId: string,
  destinationText: string,
  { vpcPeeringId }: { vpcPeeringId: string },
): Promise<RouteTable> {
  const destination = anyBlock(destinationText, DESTINATION);
  const table = await inTransaction(ctx.db, async (tx) => {
    const locked = await lockRouteTable(tx, caller, routeTableId);
    requirePermission(caller, "route_table:update");
    const route = requireRoute(locked, destination);
    refuseAutomatic(route);
    if (route.vpcPeeringId === vpcPeeringId) return locked;
    requireTarget(ctx, caller, locked, vpcPeeringId, await findPeering(tx, vpcPeeringId));
    await retargetRoute(tx, routeTableId, destination, vpcPeeringId);
    await removeWithheldRoute(tx, routeTableId, destination, vpcPeeringId);
    return changed(tx, caller, locked);
  });
  // An earlier call may have led it there, and the switch have yet to follow that one.
  await follow(ctx, [table.vpcId]);
  return table;
}

/** @throws DomainError `NotFound`, `InvalidParameterValue` for a local route */
export async function deleteRoute(
  ctx: ServiceContext,
  caller: Principal,
  routeTableId: string,
  destinationText: string,
): Promise<void> {
  const destination = anyBlock(destinationText, DESTINATION);
  const table = await inTransaction(ctx.db, async (tx) => {
    const locked = await lockRouteTable(tx, caller, routeTableId);
    requirePermission(caller, "route_table:update");
    requireRoute(locked, destination);
    await removeRoute(tx, routeTableId, destination);
    return changed(tx, caller, locked);
  });
  await follow(ctx, [table.vpcId]);
}

async function changed(tx: Tx, caller: Principal, table: RouteTable): Promise<RouteTable> {
  const { id, tenantId, vpcId } = table;
  const change = resourceChange(caller, "route-table", tenantId, id, "update");
  await touchVpcs(tx, [vpcId], await recordChange(tx, change));
  return requireRouteTable(caller, id, await findRouteTable(tx, id, caller.tenantId));
}

/** @throws DomainError `NotFound`, `InvalidParameterValue` for a local route */
function requireRoute(table: RouteTable, destination: Cidr): Route {
  const text = formatCidr(destination);
  if (table.vpcBlocks.some((block) => formatCidr(block) === text)) {
    const detail = "a local route stays as it is, and goes with its CIDR block only";
    throw new DomainError("InvalidParameterValue", detail);
  }
  const route = table.routes.find((candidate) => formatCidr(candidate.destination) === text);
  if (route !== undefined) return route;
  throw new DomainError("NotFound", `route table ${table.id} has no route to ${text}`);
}

/** It follows its peering's blocks: led elsewhere it would still go with that peering. */
function refuseAutomatic({ destination, origin, vpcPeeringId }: Route): void {
  if (origin === "user") return;
  const detail = `the route to ${formatCidr(destination)} came with peering ${vpcPeeringId} and cannot be replaced: delete it, and add one of your own`;
  throw new DomainError("InvalidParameterValue", detail);
}

function refuseTakenDestination(table: RouteTable, destination: Cidr): void {
  const text = formatCidr(destination);
  const taken = [...table.vpcBlocks, ...table.routes.map((route) => route.destination)];
  if (taken.some((other) => formatCidr(other) === text)) {
    const detail = `route table ${table.id} has a route to ${text} already`;
    throw new DomainError("RouteAlreadyExists", detail, { pointer: DESTINATION });
  }
  const outer = table.vpcBlocks.find((block) => contains(block, destination));
  if (outer === undefined) return;
  const detail = `${text} lies inside the VPC's own block ${formatCidr(outer)}`;
  throw new DomainError("InvalidParameterValue", detail, { pointer: DESTINATION });
}

/** A peering in which the table's VPC takes part, and that has not ended; any other is unknown. */
function requireTarget(
  ctx: ServiceContext,
  caller: Principal,
  table: RouteTable,
  vpcPeeringId: string,
  found: VpcPeering | null,
): void {
  const pointer = "/vpcPeeringId";
  const takesPart = [found?.requester.vpcId, found?.accepter.vpcId].includes(table.vpcId);
  const candidate = takesPart ? found : null;
  const peering = requirePeering(ctx, caller, vpcPeeringId, candidate, pointer);
  if (!isTerminal(peering.state)) return;
  const detail = `peering ${vpcPeeringId} is ${peering.state}`;
  throw new DomainError("InvalidStateTransition", detail, { pointer });
}

import { DomainError, inUse } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { Page, PageRequest, RouteTable } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import {
  associateSubnet,
  countRouteTables,
  findRouteTable,
  findRouteTables,
  insertRouteTable,
  removeRouteTable,
} from "../store/route-tables.js";
import { findSubnet } from "../store/subnets.js";
import { lockVpcs, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { resourceChange } from "./resource-change.js";
import { requireSubnet } from "./subnets.js";
import { lockOwnVpc } from "./vpcs.js";

/** @throws DomainError `RouteTableLimitExceeded`, `InvalidVpcID.NotFound` */
export async function createRouteTable(
  ctx: ServiceContext,
  caller: Principal,
  input: { vpcId: string },
): Promise<RouteTable> {
  ownTenant(caller);
  requirePermission(caller, "route_table:create");
  const { vpcId } = input;
  return inTransaction(ctx.db, async (tx) => {
    const vpc = await lockOwnVpc(tx, caller, vpcId, "/vpcId");
    requireQuota(ctx.quotas, "routeTablesPerVpc", await countRouteTables(tx, vpcId));
    const id = newId("routeTable");
    const change = resourceChange(caller, "route-table", vpc.tenantId, id, "create");
    const generation = await recordChange(tx, change);
    return insertRouteTable(tx, { id, vpcId, main: false, generation });
  });
}

export async function getRouteTable(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<RouteTable> {
  const table = requireRouteTable(caller, id, await findRouteTable(ctx.db, id, caller.tenantId));
  requirePermission(caller, "route_table:read");
  return table;
}

export async function listRouteTables(
  ctx: ServiceContext,
  caller: Principal,
  filter: { vpcId?: string | undefined },
  page: PageRequest,
): Promise<Page<RouteTable>> {
  requirePermission(caller, "route_table:read");
  return findRouteTables(ctx.db, { ...filter, tenantId: caller.tenantId }, page);
}

/** @throws DomainError `DependencyViolation` for the main table and for one that subnets use */
export async function deleteRouteTable(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<void> {
  const vpcId = await inTransaction(ctx.db, async (tx) => {
    const table = await lockRouteTable(tx, caller, id);
    requirePermission(caller, "route_table:delete");
    refuseWhileInUse(table);
    const change = resourceChange(caller, "route-table", table.tenantId, id, "delete");
    await touchVpcs(tx, [table.vpcId], await recordChange(tx, change));
    await removeRouteTable(tx, id);
    return table.vpcId;
  });
  await follow(ctx, [vpcId]);
}

function refuseWhileInUse({ id, main, associations, vpcId }: RouteTable): void {
  if (main) {
    const detail = `route table ${id} is the main one of VPC ${vpcId} and goes with it`;
    throw new DomainError("DependencyViolation", detail, { blockedBy: [vpcId] });
  }
  if (associations.length === 0) return;
  throw inUse(`route table ${id}`, associations);
}

/** Lets a subnet of the table's VPC follow this table instead of the one it follows now. */
export async function associateRouteTable(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  input: { subnetId: string },
): Promise<RouteTable> {
  const table = await inTransaction(ctx.db, async (tx) => {
    const locked = await lockRouteTable(tx, caller, id);
    requirePermission(caller, "route_table:update");
    const { subnetId } = input;
    const found = await findSubnet(tx, subnetId, caller.tenantId);
    const subnet = requireSubnet(caller, subnetId, found, "/subnetId");
    if (subnet.vpcId !== locked.vpcId) {
      const detail = `subnet ${subnetId} is in VPC ${subnet.vpcId}, not in ${locked.vpcId}`;
      throw new DomainError("InvalidParameterValue", detail, { pointer: "/subnetId" });
    }
    return reassociate(tx, caller, locked, subnetId, locked.main ? null : id);
  });
  await follow(ctx, [table.vpcId]);
  return table;
}

/** Returns a subnet to the main table. */
export async function disassociateRouteTable(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  subnetId: string,
): Promise<void> {
  const table = await inTransaction(ctx.db, async (tx) => {
    const locked = await lockRouteTable(tx, caller, id);
    requirePermission(caller, "route_table:update");
    if (!locked.associations.includes(subnetId)) {
      const detail = `subnet ${subnetId} is not associated with route table ${id}`;
      throw new DomainError("InvalidSubnetID.NotFound", detail);
    }
    return reassociate(tx, caller, locked, subnetId, null);
  });
  await follow(ctx, [table.vpcId]);
}

async function reassociate(
  tx: Tx,
  caller: Principal,
  table: RouteTable,
  subnetId: string,
  routeTableId: string | null,
): Promise<RouteTable> {
  const { id, tenantId, vpcId } = table;
  const change = resourceChange(caller, "route-table", tenantId, id, "update");
  await touchVpcs(tx, [vpcId], await recordChange(tx, change));
  await associateSubnet(tx, subnetId, routeTableId);
  return requireRouteTable(caller, id, await findRouteTable(tx, id, caller.tenantId));
}

/** Locks the table's VPC and returns the table as it is under that lock. */
export async function lockRouteTable(tx: Tx, caller: Principal, id: string): Promise<RouteTable> {
  const seen = requireRouteTable(caller, id, await findRouteTable(tx, id, caller.tenantId));
  await lockVpcs(tx, [seen.vpcId]);
  return requireRouteTable(caller, id, await findRouteTable(tx, id, caller.tenantId));
}

/** @throws DomainError `InvalidRouteTableID.NotFound`, also for a table that is not the caller's */
export function requireRouteTable(
  caller: Principal,
  id: string,
  table: RouteTable | null,
): RouteTable {
  if (table === null || !maySee(caller, table.tenantId)) {
    throw new DomainError("InvalidRouteTableID.NotFound", `there is no route table ${id}`);
  }
  return table;
}

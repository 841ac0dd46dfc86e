import { vpcBlock } from "../domain/address-plan.js";
import { DomainError, inUse } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { Page, PageRequest, Tags, Vpc, VpcPeering } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { failReceivedRequests } from "../store/fail-received-requests.js";
import { transitionPeering } from "../store/peering-transitions.js";
import { insertRouteTable } from "../store/route-tables.js";
import { findSubnetIds } from "../store/subnets.js";
import { lockTenant } from "../store/tenants.js";
import { findLivePeerings, lockPendingPeerings } from "../store/vpc-peerings.js";
import {
  countVpcs,
  findVpc,
  findVpcs,
  insertVpc,
  lockVpcsOf,
  type Patch,
  patchVpc,
  removeVpc,
} from "../store/vpcs.js";
import { actorOf } from "./authentication.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { insertDefaultGroup } from "./new-groups.js";
import { peeringChange, SETUP_FAILED } from "./peering-changes.js";
import { resourceChange } from "./resource-change.js";

export interface VpcInput {
  readonly name?: string | undefined;
  readonly cidrBlock: string;
  readonly tags?: Tags | undefined;
}

/** @throws DomainError `InvalidVpcRange` */
export async function createVpc(
  ctx: ServiceContext,
  caller: Principal,
  input: VpcInput,
): Promise<Vpc> {
  const tenantId = ownTenant(caller);
  requirePermission(caller, "vpc:create");
  const block = vpcBlock(input.cidrBlock);
  const id = newId("vpc");
  const vpc = await inTransaction(ctx.db, async (tx) => {
    if ((await lockTenant(tx, tenantId)) === null) throw tenantGone();
    requireQuota(ctx.quotas, "vpcsPerTenant", await countVpcs(tx, tenantId));
    const generation = await recordChange(
      tx,
      resourceChange(caller, "vpc", tenantId, id, "create"),
    );
    const { name = null, tags = {} } = input;
    const inserted = await insertVpc(tx, { id, tenantId, name, tags, block, generation });
    await insertRouteTable(tx, { id: newId("routeTable"), vpcId: id, main: true, generation });
    await insertDefaultGroup(tx, id, generation);
    return inserted;
  });
  await follow(ctx, [id]);
  return vpc;
}

/** Deleted since the call was let in. */
function tenantGone(): DomainError {
  return new DomainError("Unauthenticated", "the tenant of this credential has been deleted");
}

export async function getVpc(ctx: ServiceContext, caller: Principal, id: string): Promise<Vpc> {
  const vpc = requireVpc(caller, id, await findVpc(ctx.db, id, caller.tenantId));
  requirePermission(caller, "vpc:read");
  return vpc;
}

export async function listVpcs(
  ctx: ServiceContext,
  caller: Principal,
  filter: { vpcId?: string | undefined; tags: Tags },
  page: PageRequest,
): Promise<Page<Vpc>> {
  requirePermission(caller, "vpc:read");
  return findVpcs(ctx.db, { ...filter, tenantId: caller.tenantId }, page);
}

export async function updateVpc(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: Patch,
): Promise<Vpc> {
  return inTransaction(ctx.db, async (tx) => {
    const vpc = await lockOwnVpc(tx, caller, id);
    requirePermission(caller, "vpc:update");
    const patched = await patchVpc(tx, id, patch);
    await recordChange(tx, resourceChange(caller, "vpc", vpc.tenantId, id, "update"));
    return patched;
  });
}

/**
 * Deletes a VPC that nothing depends on. Pending peering requests do not count: they end with it.
 * Route tables and security groups go with it.
 * @throws DomainError `DependencyViolation` listing subnets and live peerings
 */
export async function deleteVpc(ctx: ServiceContext, caller: Principal, id: string): Promise<void> {
  const removedAt = await inTransaction(ctx.db, async (tx) => {
    const vpc = await lockOwnVpc(tx, caller, id);
    requirePermission(caller, "vpc:delete");
    await refuseWhileInUse(tx, id);
    await endPendingPeerings(ctx, tx, caller, vpc);
    const change = resourceChange(caller, "vpc", vpc.tenantId, id, "delete");
    const generation = await recordChange(tx, change);
    await removeVpc(tx, id);
    return generation;
  });
  await follow(ctx, [id], removedAt);
}

/** Locks a VPC that the caller can see; what lives in it is changed under this lock only. */
export async function lockOwnVpc(
  tx: Tx,
  caller: Principal,
  id: string,
  pointer?: string,
): Promise<Vpc> {
  const vpcs = await lockVpcsOf(tx, [{ id, tenantId: caller.tenantId }]);
  return requireVpc(caller, id, vpcs.get(id) ?? null, pointer);
}

/** @throws DomainError `InvalidVpcID.NotFound`, also for a VPC that is not the caller's */
export function requireVpc(caller: Principal, id: string, vpc: Vpc | null, pointer?: string): Vpc {
  if (vpc === null || !maySee(caller, vpc.tenantId)) {
    const context = pointer === undefined ? {} : { pointer };
    throw new DomainError("InvalidVpcID.NotFound", `there is no VPC ${id}`, context);
  }
  return vpc;
}

async function refuseWhileInUse(tx: Tx, id: string): Promise<void> {
  const peerings = await findLivePeerings(tx, [id]);
  const blockedBy = [...peerings.map((peering) => peering.id), ...(await findSubnetIds(tx, id))];
  if (blockedBy.length === 0) return;
  // What is being deleted already need not be deleted first, but waited for.
  const deleting = peerings.filter(({ state }) => state === "deleting");
  const isSoonFree = deleting.length === blockedBy.length;
  throw inUse(`VPC ${id}`, blockedBy, isSoonFree ? { retryAfterSeconds: 1 } : {});
}

async function endPendingPeerings(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  vpc: Vpc,
): Promise<void> {
  for (const peering of await lockPendingPeerings(tx, vpc.id)) {
    if (peering.requester.vpcId === vpc.id) await withdraw(ctx, tx, caller, peering);
  }
  await failReceivedRequests(tx, vpc.id, { statusMessage: SETUP_FAILED, at: ctx.clock() });
}

async function withdraw(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  peering: VpcPeering,
): Promise<void> {
  const { tenantId } = peering.requester;
  const actor = actorOf(caller);
  const generation = await recordChange(tx, peeringChange(actor, peering, "delete", "deleted"));
  await transitionPeering(tx, peering, {
    to: "deleted",
    statusMessage: `Deleted by ${tenantId}`,
    at: ctx.clock(),
    generation,
    endedByTenantId: tenantId,
  });
}

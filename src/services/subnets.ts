import { subnetBlock } from "../domain/address-plan.js";
import { formatCidr } from "../domain/cidr.js";
import { DomainError, inUse, MOST_NAMED } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { Page, PageRequest, Subnet, Tags } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { storeFailure } from "../store/database/errors.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findInterfaceIds } from "../store/network-interfaces.js";
import {
  countSubnets,
  findSubnet,
  findSubnetOverlapping,
  findSubnets,
  insertSubnet,
  patchSubnet,
  removeSubnet,
} from "../store/subnets.js";
import { lockVpcs, type Patch, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { resourceChange } from "./resource-change.js";
import { lockOwnVpc } from "./vpcs.js";

export interface SubnetInput {
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly availabilityZone?: string | undefined;
  readonly name?: string | undefined;
  readonly tags?: Tags | undefined;
}

/** The one zone there is as long as one daemon programs one switch. */
const DEFAULT_ZONE = "local";

/**
 * @throws DomainError `InvalidSubnet.Range`, `InvalidSubnet.Conflict`, `InvalidVpcID.NotFound`,
 *   `SubnetLimitExceeded`
 */
export async function createSubnet(
  ctx: ServiceContext,
  caller: Principal,
  input: SubnetInput,
): Promise<Subnet> {
  ownTenant(caller);
  requirePermission(caller, "subnet:create");
  try {
    const subnet = await inTransaction(ctx.db, (tx) => insertInto(ctx, tx, caller, input));
    await follow(ctx, [subnet.vpcId]);
    return subnet;
  } catch (error) {
    if (storeFailure(error).kind !== "exclusion") throw error;
    throw conflict(`${input.cidrBlock} overlaps another subnet of the VPC`, [], error);
  }
}

async function insertInto(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  input: SubnetInput,
): Promise<Subnet> {
  const { vpcId, availabilityZone = DEFAULT_ZONE, name = null, tags = {} } = input;
  const vpc = await lockOwnVpc(tx, caller, vpcId, "/vpcId");
  const block = subnetBlock(
    input.cidrBlock,
    vpc.blocks.map((entry) => entry.block),
  );
  const inTheWay = await findSubnetOverlapping(tx, vpcId, block);
  if (inTheWay !== undefined) {
    throw conflict(`${formatCidr(block)} overlaps subnet ${inTheWay}`, [inTheWay]);
  }
  requireQuota(ctx.quotas, "subnetsPerVpc", await countSubnets(tx, vpcId));
  const id = newId("subnet");
  const generation = await recordChange(
    tx,
    resourceChange(caller, "subnet", vpc.tenantId, id, "create"),
  );
  await touchVpcs(tx, [vpcId], generation);
  return insertSubnet(tx, {
    id,
    vpcId,
    block,
    availabilityZone,
    name,
    tags,
    generation,
  });
}

export async function getSubnet(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<Subnet> {
  const subnet = requireSubnet(caller, id, await findSubnet(ctx.db, id, caller.tenantId));
  requirePermission(caller, "subnet:read");
  return subnet;
}

export async function listSubnets(
  ctx: ServiceContext,
  caller: Principal,
  filter: { vpcId?: string | undefined; tags: Tags },
  page: PageRequest,
): Promise<Page<Subnet>> {
  requirePermission(caller, "subnet:read");
  return findSubnets(ctx.db, { ...filter, tenantId: caller.tenantId }, page);
}

export async function updateSubnet(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: Patch,
): Promise<Subnet> {
  return inTransaction(ctx.db, async (tx) => {
    const subnet = await lockSubnet(tx, caller, id);
    requirePermission(caller, "subnet:update");
    const patched = await patchSubnet(tx, id, patch);
    await recordChange(tx, resourceChange(caller, "subnet", subnet.tenantId, id, "update"));
    return patched;
  });
}

/** @throws DomainError `DependencyViolation` listing the interfaces in it */
export async function deleteSubnet(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<void> {
  const vpcId = await inTransaction(ctx.db, async (tx) => {
    const subnet = await lockSubnet(tx, caller, id);
    requirePermission(caller, "subnet:delete");
    const blockedBy = await findInterfaceIds(tx, id, MOST_NAMED + 1);
    if (blockedBy.length > 0) throw inUse(`subnet ${id}`, blockedBy);
    const change = resourceChange(caller, "subnet", subnet.tenantId, id, "delete");
    await touchVpcs(tx, [subnet.vpcId], await recordChange(tx, change));
    await removeSubnet(tx, id);
    return subnet.vpcId;
  });
  await follow(ctx, [vpcId]);
}

/** Locks the subnet's VPC and returns the subnet as it is under that lock. */
async function lockSubnet(tx: Tx, caller: Principal, id: string): Promise<Subnet> {
  const seen = requireSubnet(caller, id, await findSubnet(tx, id, caller.tenantId));
  await lockVpcs(tx, [seen.vpcId]);
  return requireSubnet(caller, id, await findSubnet(tx, id, caller.tenantId));
}

/** @throws DomainError `InvalidSubnetID.NotFound`, also for a subnet that is not the caller's */
export function requireSubnet(
  caller: Principal,
  id: string,
  subnet: Subnet | null,
  pointer?: string,
): Subnet {
  if (subnet === null || !maySee(caller, subnet.tenantId)) {
    const context = pointer === undefined ? {} : { pointer };
    throw new DomainError("InvalidSubnetID.NotFound", `there is no subnet ${id}`, context);
  }
  return subnet;
}

function conflict(detail: string, blockedBy: string[], cause?: unknown): DomainError {
  const context = { pointer: "/cidrBlock", blockedBy, cause };
  return new DomainError("InvalidSubnet.Conflict", detail, context);
}

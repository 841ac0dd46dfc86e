import { DomainError, inUse, MOST_NAMED } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { Page, PageRequest, SecurityGroup, Tags } from "../domain/resources.js";
import { DEFAULT_GROUP } from "../domain/security-rules.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findGroupsNaming } from "../store/security-group-rules.js";
import {
  countSecurityGroups,
  findGroupNamed,
  findMembers,
  findSecurityGroup,
  findSecurityGroups,
  patchSecurityGroup,
  removeSecurityGroup,
  type SecurityGroupPatch,
} from "../store/security-groups.js";
import { lockVpcRows, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { changeMembership } from "./memberships.js";
import { insertNewGroup } from "./new-groups.js";
import { resourceChange } from "./resource-change.js";
import { lockOwnVpc } from "./vpcs.js";

export interface SecurityGroupInput {
  readonly vpcId: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly tags?: Tags | undefined;
}

/** @throws DomainError `InvalidGroup.Duplicate`, `SecurityGroupLimitExceeded`, … */
export async function createSecurityGroup(
  ctx: ServiceContext,
  caller: Principal,
  input: SecurityGroupInput,
): Promise<SecurityGroup> {
  ownTenant(caller);
  requirePermission(caller, "security_group:create");
  refuseReservedName(input.name);
  const { vpcId, name, description = "", tags = {} } = input;
  const group = await inTransaction(ctx.db, async (tx) => {
    const vpc = await lockOwnVpc(tx, caller, vpcId, "/vpcId");
    await refuseTakenName(tx, vpcId, name);
    requireQuota(ctx.quotas, "securityGroupsPerVpc", await countSecurityGroups(tx, vpcId));
    const id = newId("securityGroup");
    const change = resourceChange(caller, "security-group", vpc.tenantId, id, "create");
    const generation = await recordChange(tx, change);
    await touchVpcs(tx, [vpcId], generation);
    await insertNewGroup(tx, { id, vpcId, name, description, tags, generation });
    return requireSecurityGroup(
      caller,
      id,
      await findSecurityGroup(tx, id, caller.tenantId, ctx.quotas),
    );
  });
  await follow(ctx, [vpcId]);
  return group;
}

function refuseReservedName(name: string): void {
  if (name !== DEFAULT_GROUP.name) return;
  const detail = `"${name}" is the name of the group that every VPC has from the start`;
  throw new DomainError("InvalidParameterValue", detail, { pointer: "/name" });
}

async function refuseTakenName(tx: Tx, vpcId: string, name: string): Promise<void> {
  const taken = await findGroupNamed(tx, vpcId, name);
  if (taken === undefined) return;
  const detail = `security group ${taken} of VPC ${vpcId} is named "${name}" already`;
  throw new DomainError("InvalidGroup.Duplicate", detail, { pointer: "/name", blockedBy: [taken] });
}

export async function getSecurityGroup(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<SecurityGroup> {
  const group = requireSecurityGroup(
    caller,
    id,
    await findSecurityGroup(ctx.db, id, caller.tenantId, ctx.quotas),
  );
  requirePermission(caller, "security_group:read");
  return group;
}

export async function listSecurityGroups(
  ctx: ServiceContext,
  caller: Principal,
  filter: { vpcId?: string | undefined; name?: string | undefined; tags: Tags },
  page: PageRequest,
): Promise<Page<SecurityGroup>> {
  requirePermission(caller, "security_group:read");
  return findSecurityGroups(ctx.db, { ...filter, tenantId: caller.tenantId }, page, ctx.quotas);
}

export async function updateSecurityGroup(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: SecurityGroupPatch,
): Promise<SecurityGroup> {
  return inTransaction(ctx.db, async (tx) => {
    const { tenantId } = await lockSecurityGroup(ctx, tx, caller, id);
    requirePermission(caller, "security_group:update");
    await recordChange(tx, resourceChange(caller, "security-group", tenantId, id, "update"));
    return patchSecurityGroup(tx, id, patch, ctx.quotas);
  });
}

/**
 * Rules of other tenants that name it become stale and keep nobody from deleting it.
 * @throws DomainError `DependencyViolation` for the default group, and for one in use, listing the
 *   interfaces in it and the tenant's groups with rules that name it
 */
export async function deleteSecurityGroup(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<void> {
  const read = async (tx: Tx) => {
    const group = requireSecurityGroup(
      caller,
      id,
      await findSecurityGroup(tx, id, caller.tenantId, ctx.quotas),
    );
    return { group, vpcId: group.vpcId, groupIds: [id] };
  };
  await changeMembership(ctx, read, async (tx, { group }, concerned) => {
    requirePermission(caller, "security_group:delete");
    await refuseWhileInUse(tx, group);
    const change = resourceChange(caller, "security-group", group.tenantId, id, "delete");
    await touchVpcs(tx, concerned, await recordChange(tx, change));
    await removeSecurityGroup(tx, id);
  });
}

async function refuseWhileInUse(tx: Tx, group: SecurityGroup): Promise<void> {
  const { id, tenantId, vpcId, isDefault } = group;
  if (isDefault) {
    const detail = `security group ${id} is the default one of VPC ${vpcId} and goes with it`;
    throw new DomainError("DependencyViolation", detail, { blockedBy: [vpcId] });
  }
  const blockedBy = [
    ...(await findMembers(tx, id, MOST_NAMED + 1)),
    ...(await findGroupsNaming(tx, id, tenantId)),
  ];
  if (blockedBy.length > 0) throw inUse(`security group ${id}`, blockedBy);
}

/** Locks the group's VPC and returns the group as it is under that lock. */
export async function lockSecurityGroup(
  { quotas }: ServiceContext,
  tx: Tx,
  caller: Principal,
  id: string,
): Promise<SecurityGroup> {
  const seen = requireSecurityGroup(
    caller,
    id,
    await findSecurityGroup(tx, id, caller.tenantId, quotas),
  );
  await lockVpcRows(tx, [seen.vpcId]);
  return requireSecurityGroup(caller, id, await findSecurityGroup(tx, id, caller.tenantId, quotas));
}

/** @throws DomainError `InvalidGroup.NotFound`, also for a group that is not the caller's */
export function requireSecurityGroup(
  caller: Principal,
  id: string,
  group: SecurityGroup | null,
): SecurityGroup {
  if (group === null || !maySee(caller, group.tenantId)) {
    throw new DomainError("InvalidGroup.NotFound", `there is no security group ${id}`);
  }
  return group;
}

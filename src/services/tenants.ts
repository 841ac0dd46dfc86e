import { DomainError, inUse, MOST_NAMED } from "../domain/errors.js";
import { newTenantId } from "../domain/ids.js";
import { maySee, type Principal, requirePermission } from "../domain/principal.js";
import type { Page, PageRequest, Tenant } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { storeFailure } from "../store/database/errors.js";
import { inTransaction } from "../store/database/transaction.js";
import {
  findTenant,
  findTenants,
  insertTenant,
  lockTenant,
  patchTenant,
  removeAccessKeys,
  retireTenant,
  type TenantPatch,
} from "../store/tenants.js";
import { findVpcIdsOf } from "../store/vpcs.js";
import { actorOf } from "./authentication.js";
import type { ServiceContext } from "./context.js";
import { resourceChange } from "./resource-change.js";

/** @throws DomainError `TenantAlreadyExists` when the chosen id is taken */
export async function createTenant(
  ctx: ServiceContext,
  caller: Principal,
  input: { name: string; id?: string | undefined },
): Promise<Tenant> {
  requirePermission(caller, "tenant:create");
  const id = input.id ?? newTenantId();
  try {
    return await inTransaction(ctx.db, async (tx) => {
      // First: numbers are then handed out in commit order, and no page of the list skips one.
      await recordChange(tx, change(caller, id, "create", null, "active"));
      return insertTenant(tx, id, input.name);
    });
  } catch (error) {
    if (storeFailure(error).kind !== "unique") throw error;
    const detail = `there is a tenant ${id} already, or there was one: no id is used twice`;
    throw new DomainError("TenantAlreadyExists", detail, {
      pointer: "/id",
      cause: error,
    });
  }
}

export async function getTenant(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<Tenant> {
  refuseOthersTenant(caller, id);
  const tenant = requireTenant(caller, id, await findTenant(ctx.db, id));
  requirePermission(caller, "tenant:read");
  return tenant;
}

export async function listTenants(
  ctx: ServiceContext,
  caller: Principal,
  page: PageRequest,
): Promise<Page<Tenant>> {
  requirePermission(caller, "tenant:read");
  return findTenants(ctx.db, page);
}

/** A suspended tenant's keys are refused; its traffic goes on. */
export async function updateTenant(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: TenantPatch,
): Promise<Tenant> {
  refuseOthersTenant(caller, id);
  return ctx.credentials.change({ tenantId: id }, async (tx) => {
    const before = requireTenant(caller, id, await lockTenant(tx, id));
    requirePermission(caller, "tenant:update");
    const after = await patchTenant(tx, id, patch);
    await recordChange(tx, change(caller, id, "update", stateOf(before), stateOf(after)));
    return after;
  });
}

/**
 * Deletes a tenant that has no VPC left, for good: its id is never used again, so that nobody comes by
 * what events and peerings say of it. Its access keys go with it, and are refused from the next
 * request on. Peerings that have ended stay what they are to the other side.
 * @throws DomainError `DependencyViolation` listing its VPCs
 */
export async function deleteTenant(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<void> {
  refuseOthersTenant(caller, id);
  await ctx.credentials.change({ tenantId: id }, async (tx) => {
    const tenant = requireTenant(caller, id, await lockTenant(tx, id));
    requirePermission(caller, "tenant:delete");
    if (!(await retireTenant(tx, id, ctx.clock()))) {
      throw inUse(`tenant ${id}`, await findVpcIdsOf(tx, id, MOST_NAMED + 1));
    }
    for (const keyId of await removeAccessKeys(tx, id)) {
      await recordChange(tx, resourceChange(caller, "access-key", id, keyId, "delete"));
    }
    await recordChange(tx, change(caller, id, "delete", stateOf(tenant), null));
  });
}

/** @throws DomainError `InvalidTenantID.NotFound`, also for a tenant that is not the caller's */
export function requireTenant(caller: Principal, id: string, tenant: Tenant | null): Tenant {
  if (tenant === null) throw noTenant(id);
  refuseOthersTenant(caller, id);
  return tenant;
}

/**
 * To be called before the database is asked: others' tenants are then as ones that do not exist in
 * what they cost as well, and nobody waits for a lock of theirs.
 * @throws DomainError `InvalidTenantID.NotFound`
 */
export function refuseOthersTenant(caller: Principal, id: string): void {
  if (!maySee(caller, id)) throw noTenant(id);
}

function noTenant(id: string): DomainError {
  return new DomainError("InvalidTenantID.NotFound", `there is no tenant ${id}`);
}

function stateOf(tenant: Tenant): string {
  return tenant.suspended ? "suspended" : "active";
}

function change(
  caller: Principal,
  id: string,
  action: string,
  before: string | null,
  after: string | null,
) {
  const resourceType = "tenant" as const;
  return {
    actor: actorOf(caller),
    resourceType,
    resourceId: id,
    action,
    before,
    after,
    tenantId: id,
  };
}

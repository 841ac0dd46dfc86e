import { randomBytes } from "node:crypto";
import { DomainError } from "../domain/errors.js";
import { newAccessKeyId } from "../domain/ids.js";
import { mayGrant, type Role, type TenantRole } from "../domain/permissions.js";
import { type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { AccessKey, Page, PageRequest } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction } from "../store/database/transaction.js";
import {
  countAccessKeys,
  findAccessKey,
  findAccessKeys,
  findCredential,
  findTenant,
  insertAccessKey,
  lockTenant,
  removeAccessKey,
  renameAccessKey,
} from "../store/tenants.js";
import { formatToken } from "./authentication.js";
import type { ServiceContext } from "./context.js";
import { resourceChange } from "./resource-change.js";
import { refuseOthersTenant, requireTenant } from "./tenants.js";

const SECRET_BYTES = 32;

/** A new key; its secret is never shown again. */
export interface IssuedAccessKey {
  readonly key: AccessKey;
  readonly secret: string;
  readonly token: string;
}

/**
 * @throws DomainError `Forbidden` when the caller would give away more than it has,
 *   `AccessKeyLimitExceeded`
 */
export async function createAccessKey(
  ctx: ServiceContext,
  caller: Principal,
  tenantId: string,
  input: { roles: readonly Role[]; name?: string | undefined },
): Promise<IssuedAccessKey> {
  refuseOthersTenant(caller, tenantId);
  const id = newAccessKeyId();
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const encryptedSecret = ctx.secrets.seal(secret, id);
  const key = await ctx.credentials.change({ tenantId, keyId: id }, async (tx) => {
    requireTenant(caller, tenantId, await lockTenant(tx, tenantId));
    requirePermission(caller, "access_key:create");
    const roles = grantableRoles(caller, input.roles);
    requireQuota(ctx.quotas, "accessKeysPerTenant", await countAccessKeys(tx, tenantId));
    const inserted = await insertAccessKey(tx, {
      id,
      tenantId,
      roles,
      name: input.name ?? null,
      encryptedSecret,
    });
    await recordChange(tx, resourceChange(caller, "access-key", tenantId, id, "create"));
    return inserted;
  });
  return { key, secret, token: formatToken(id, secret) };
}

/**
 * A key that was issued in a call whose answer got lost, as that answer would have shown it. The
 * caller has to be the one who made that call.
 * @throws DomainError `InvalidAccessKeyID.NotFound` when it was revoked since
 */
export async function recoverIssuedAccessKey(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<IssuedAccessKey> {
  requirePermission(caller, "access_key:create");
  const credential = await findCredential(ctx.db, id);
  if (credential === null) {
    throw new DomainError("InvalidAccessKeyID.NotFound", `there is no access key ${id}`);
  }
  const { encryptedSecret, ...key } = credential.key;
  await ctx.credentials.refresh({ tenantId: key.tenantId, keyId: id });
  const secret = ctx.secrets.unseal(encryptedSecret, id);
  return { key, secret, token: formatToken(id, secret) };
}

export async function listAccessKeys(
  ctx: ServiceContext,
  caller: Principal,
  tenantId: string,
  page: PageRequest,
): Promise<Page<AccessKey>> {
  refuseOthersTenant(caller, tenantId);
  requireTenant(caller, tenantId, await findTenant(ctx.db, tenantId));
  requirePermission(caller, "access_key:read");
  const { items, ...rest } = await findAccessKeys(ctx.db, tenantId, page);
  return { items: items.map((key) => upToDate(ctx, key)), ...rest };
}

/**
 * A key of the caller's tenant, or of any for the operator.
 * @throws DomainError `InvalidAccessKeyID.NotFound`
 */
export async function getAccessKey(
  ctx: ServiceContext,
  caller: Principal,
  tenantId: string,
  keyId: string,
): Promise<AccessKey> {
  refuseOthersTenant(caller, tenantId);
  requirePermission(caller, "access_key:read");
  return upToDate(ctx, requireKey(tenantId, keyId, await findAccessKey(ctx.db, tenantId, keyId)));
}

/**
 * Names a key, or takes its name away. Nothing that is remembered of it changes.
 * @throws DomainError `InvalidAccessKeyID.NotFound`
 */
export async function updateAccessKey(
  ctx: ServiceContext,
  caller: Principal,
  { tenantId, keyId }: { tenantId: string; keyId: string },
  { name }: { name?: string | null | undefined },
): Promise<AccessKey> {
  refuseOthersTenant(caller, tenantId);
  const key = await inTransaction(ctx.db, async (tx) => {
    requireTenant(caller, tenantId, await lockTenant(tx, tenantId));
    requirePermission(caller, "access_key:update");
    const found = requireKey(tenantId, keyId, await findAccessKey(tx, tenantId, keyId));
    if (name === undefined || name === found.name) return found;
    await recordChange(tx, resourceChange(caller, "access-key", tenantId, keyId, "update"));
    return renameAccessKey(tx, keyId, name);
  });
  return upToDate(ctx, key);
}

/** What has been noted of its use since that was written last. */
function upToDate({ keyUses }: ServiceContext, key: AccessKey): AccessKey {
  return { ...key, lastUsedAt: keyUses.unwritten(key.id) ?? key.lastUsedAt };
}

function requireKey(tenantId: string, keyId: string, key: AccessKey | null): AccessKey {
  if (key !== null) return key;
  const detail = `tenant ${tenantId} has no access key ${keyId}`;
  throw new DomainError("InvalidAccessKeyID.NotFound", detail);
}

/** Refused from the next request on. */
export async function deleteAccessKey(
  ctx: ServiceContext,
  caller: Principal,
  tenantId: string,
  keyId: string,
): Promise<void> {
  refuseOthersTenant(caller, tenantId);
  await ctx.credentials.change({ tenantId, keyId }, async (tx) => {
    requireTenant(caller, tenantId, await lockTenant(tx, tenantId));
    requirePermission(caller, "access_key:delete");
    requireKey(tenantId, keyId, await findAccessKey(tx, tenantId, keyId));
    await removeAccessKey(tx, tenantId, keyId);
    await recordChange(tx, resourceChange(caller, "access-key", tenantId, keyId, "delete"));
  });
}

/** To be called now and then, and at the end. @throws Error as `KeyUses.write` */
export async function writeKeyUses(ctx: ServiceContext): Promise<void> {
  if (ctx.keyUses.areUnwritten) await ctx.keyUses.write(ctx.db);
}

function grantableRoles(caller: Principal, wanted: readonly Role[]): TenantRole[] {
  const pointer = "/roles";
  const isOperator = caller.tenantId === null;
  if (!isOperator && !mayGrant(caller.roles, wanted)) {
    throw new DomainError("Forbidden", "these roles exceed the caller's own", {
      pointer,
    });
  }
  const roles = [...new Set(wanted)];
  const tenantRoles = roles.filter((role) => role !== "operator");
  if (tenantRoles.length !== roles.length) {
    const detail = "an access key belongs to a tenant and cannot have the role operator";
    throw new DomainError("ValidationError", detail, { pointer });
  }
  return tenantRoles;
}

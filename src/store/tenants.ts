import type { TenantRole } from "../domain/permissions.js";
import type { AccessKey, Page, PageRequest, Tenant } from "../domain/resources.js";
import type { Tx } from "./database/transaction.js";
import { pageArguments, toPage } from "./page.js";

export interface StoredAccessKey extends AccessKey {
  readonly encryptedSecret: Uint8Array;
}

export async function insertTenant(tx: Tx, id: string, name: string): Promise<Tenant> {
  return tx.tenant.create({ data: { id, name } });
}

export async function findTenant(client: Tx, id: string): Promise<Tenant | null> {
  return client.tenant.findUnique({ where: { id, deletedAt: null } });
}

export async function findTenants(client: Tx, page: PageRequest): Promise<Page<Tenant>> {
  const rows = await client.tenant.findMany({
    where: { number: { gt: page.after }, deletedAt: null },
    ...pageArguments(page),
  });
  return toPage(rows, page.limit);
}

export interface TenantPatch {
  readonly name?: string | undefined;
  readonly suspended?: boolean | undefined;
}

/** Taken before any lock on a VPC: what is counted per tenant is counted under this lock. */
export async function lockTenant(tx: Tx, id: string): Promise<Tenant | null> {
  await lockTenantRow(tx, id);
  return findTenant(tx, id);
}

/** The lock alone. */
export async function lockTenantRow(tx: Tx, id: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "tenant" WHERE "id" = ${id} FOR NO KEY UPDATE`;
}

export async function patchTenant(tx: Tx, id: string, patch: TenantPatch): Promise<Tenant> {
  const { name, suspended } = patch;
  return tx.tenant.update({
    where: { id },
    data: {
      ...(name !== undefined && { name }),
      ...(suspended !== undefined && { suspended }),
    },
  });
}

/**
 * Marks a tenant as deleted, whose lock is held, unless it has VPCs. Its id stays taken.
 * @returns whether it is deleted now
 */
export async function retireTenant(tx: Tx, id: string, at: Date): Promise<boolean> {
  const where = { id, deletedAt: null, vpcs: { none: {} } };
  const { count } = await tx.tenant.updateMany({ where, data: { deletedAt: at } });
  return count === 1;
}

/** @returns the ids of those that there were */
export async function removeAccessKeys(tx: Tx, tenantId: string): Promise<string[]> {
  const where = { tenantId };
  const keys = await tx.accessKey.findMany({ where, orderBy: { number: "asc" } });
  await tx.accessKey.deleteMany({ where });
  return keys.map(({ id }) => id);
}

export async function insertAccessKey(
  tx: Tx,
  key: {
    id: string;
    tenantId: string;
    roles: TenantRole[];
    name: string | null;
    encryptedSecret: Uint8Array;
  },
): Promise<AccessKey> {
  const data = { ...key, encryptedSecret: new Uint8Array(key.encryptedSecret) };
  return toAccessKey(await tx.accessKey.create({ data }));
}

export async function findAccessKeys(
  client: Tx,
  tenantId: string,
  page: PageRequest,
): Promise<Page<AccessKey>> {
  const rows = await client.accessKey.findMany({
    where: { tenantId, number: { gt: page.after } },
    ...pageArguments(page),
  });
  return toPage(rows.map(toAccessKey), page.limit);
}

export async function findAccessKey(
  client: Tx,
  tenantId: string,
  id: string,
): Promise<AccessKey | null> {
  const row = await client.accessKey.findUnique({ where: { id, tenantId } });
  return row && toAccessKey(row);
}

export async function renameAccessKey(tx: Tx, id: string, name: string | null): Promise<AccessKey> {
  return toAccessKey(await tx.accessKey.update({ where: { id }, data: { name } }));
}

/** To be asked under the tenant's lock. */
export async function countAccessKeys(tx: Tx, tenantId: string): Promise<number> {
  return tx.accessKey.count({ where: { tenantId } });
}

/** The key with what is needed to verify it, and whether its tenant is suspended. */
export async function findCredential(
  client: Tx,
  keyId: string,
): Promise<{ key: StoredAccessKey; suspended: boolean } | null> {
  const row = await client.accessKey.findUnique({
    where: { id: keyId },
    include: { tenant: { select: { suspended: true } } },
  });
  if (row === null) return null;
  const key = { ...toAccessKey(row), encryptedSecret: row.encryptedSecret };
  return { key, suspended: row.tenant.suspended };
}

export async function removeAccessKey(tx: Tx, tenantId: string, id: string): Promise<void> {
  await tx.accessKey.delete({ where: { id, tenantId } });
}

interface AccessKeyRow {
  id: string;
  number: number;
  tenantId: string;
  roles: string[];
  createdAt: Date;
  name: string | null;
  lastUsedAt: Date | null;
}

function toAccessKey(row: AccessKeyRow): AccessKey {
  const { id, number, tenantId, createdAt, name, lastUsedAt } = row;
  return { id, number, tenantId, roles: row.roles as TenantRole[], createdAt, name, lastUsedAt };
}

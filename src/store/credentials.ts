import type { TenantRole } from "../domain/permissions.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { inTransaction } from "./database/transaction.js";
import { findCredential, lockTenant, type StoredAccessKey } from "./tenants.js";

const SLICE = 2000;

export type StoredSecret = Pick<StoredAccessKey, "id" | "tenantId" | "roles" | "encryptedSecret">;

/** Every access key, a slice at a time. */
export async function* readSecrets(client: PrismaClient): AsyncGenerator<readonly StoredSecret[]> {
  for (let after = 0; ; ) {
    const rows = await client.accessKey.findMany({
      where: { number: { gt: after } },
      orderBy: { number: "asc" },
      take: SLICE,
      select: { number: true, id: true, tenantId: true, roles: true, encryptedSecret: true },
    });
    yield rows.map((row) => ({ ...row, roles: row.roles as TenantRole[] }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < SLICE) return;
    after = last.number;
  }
}

export async function findSuspendedTenants(client: PrismaClient): Promise<string[]> {
  const rows = await client.tenant.findMany({ where: { suspended: true }, select: { id: true } });
  return rows.map(({ id }) => id);
}

/**
 * What is stored once every change of this tenant and its keys that is under way has ended, also one
 * whose COMMIT was sent and never answered: each of them holds the tenant's lock.
 */
export async function findSettled(
  client: PrismaClient,
  tenantId: string,
  keyId?: string,
): Promise<{ isSuspended: boolean | undefined; key: StoredSecret | undefined }> {
  return inTransaction(client, async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    const credential = keyId === undefined ? null : await findCredential(tx, keyId);
    return { isSuspended: tenant?.suspended, key: credential?.key };
  });
}

import type { TenantRole } from "../domain/permissions.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { inTransaction } from "./database/transaction.js";
import { findCredential, lockTenant, type StoredAccessKey } from "./tenants.js";

const SLICE = 2000;

export type StoredSecret = Pick<StoredAccessKey, "id" | "tenantId" | "roles" | "encryptedSecret">;

/**
 * Every access key, a slice at a time. Each slice comes as one text, a line a key: there may be tens of
 * thousands, and rows of their own take several times as long.
 */
export async function* readSecrets(client: PrismaClient): AsyncGenerator<readonly StoredSecret[]> {
  for (let after: number | null = 0; after !== null; ) {
    const slice: Slice | undefined = await readSlice(client, after);
    yield (slice?.lines ?? "").split("\n").filter(Boolean).map(toSecret);
    after = slice?.last ?? null;
  }
}

interface Slice {
  /** Null beyond the last key. */
  readonly last: number | null;
  readonly lines: string | null;
}

/** Base64 is broken into lines by the database. */
async function readSlice(client: PrismaClient, after: number): Promise<Slice | undefined> {
  const [slice] = await client.$queryRaw<Slice[]>`
    SELECT max("number") AS "last", string_agg(concat_ws(' ', "id", "tenant_id",
      array_to_string("roles", ','),
      translate(encode("encrypted_secret", 'base64'), chr(10), '')), chr(10)) AS "lines"
    FROM (
      SELECT * FROM "access_key" WHERE "number" > ${after} ORDER BY "number" LIMIT ${SLICE}
    ) AS slice`;
  return slice;
}

function toSecret(line: string): StoredSecret {
  const [id = "", tenantId = "", roles = "", sealed = ""] = line.split(" ");
  const encryptedSecret = Buffer.from(sealed, "base64");
  return { id, tenantId, roles: roles.split(",") as TenantRole[], encryptedSecret };
}

export async function findSuspendedTenants(client: PrismaClient): Promise<string[]> {
  const rows = await client.tenant.findMany({
    where: { suspended: true, deletedAt: null },
    select: { id: true },
  });
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

import type { PrismaClient } from "../generated/prisma/client.js";

export interface KeyUse {
  readonly keyId: string;
  readonly at: Date;
}

/**
 * Stores when access keys were used, where that is later than what is stored. It is no change of what
 * a tenant has: it takes no generation, makes no event and waits for nobody who holds a key's row.
 * Keys that are gone are left out.
 * @returns the keys that somebody holds: those are to be written another time
 */
export async function writeLastUses(
  client: PrismaClient,
  uses: readonly KeyUse[],
): Promise<string[]> {
  const ids = uses.map(({ keyId }) => keyId);
  const times = uses.map(({ at }) => at.toISOString());
  const held = await client.$queryRaw<Array<{ id: string }>>`
    WITH "used" AS (
      SELECT * FROM unnest(${ids}::text[], ${times}::text[]::timestamptz[]) AS u("id", "at")
    ), "free" AS (
      SELECT k."id" FROM "access_key" k WHERE k."id" = ANY(${ids}::text[])
      FOR NO KEY UPDATE SKIP LOCKED
    ), "written" AS (
      UPDATE "access_key" k SET "last_used_at" = "used"."at"
      FROM "used" JOIN "free" USING ("id")
      WHERE k."id" = "used"."id" AND (k."last_used_at" IS NULL OR k."last_used_at" < "used"."at")
      RETURNING k."id"
    )
    SELECT k."id" FROM "access_key" k
    WHERE k."id" = ANY(${ids}::text[]) AND k."id" NOT IN (SELECT "id" FROM "free")`;
  return held.map(({ id }) => id);
}

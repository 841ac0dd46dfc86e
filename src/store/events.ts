import type { Actor, ResourceEvent, ResourceType } from "../domain/resources.js";
import { MissingRowError } from "./database/missing-row.js";
import type { Tx } from "./database/transaction.js";

/** An event, and whom it concerns besides the operator. */
export interface StoredEvent extends ResourceEvent {
  readonly tenantId: string | null;
  readonly otherTenantId: string | null;
}

interface EventRow {
  readonly id: bigint;
  readonly time: Date;
  readonly actorKind: string;
  readonly actorTenantId: string | null;
  readonly actorAccessKeyId: string | null;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly tenantId: string | null;
  readonly otherTenantId: string | null;
}

/** The id of the last event, 0 before the first. */
export async function findNewestEventId(client: Tx): Promise<number> {
  const row = await client.generation.findUnique({ where: { singleton: true } });
  if (row === null) throw new MissingRowError("generation");
  return Number(row.value);
}

/** Between which ids there are events for somebody. */
export interface EventRange {
  /** Of all events, whomever they concern; 0 before the first. */
  readonly newest: number;
  /** Those up to this one that concern the tenant were removed; 0 when none was. */
  readonly removedUpTo: number;
}

/** @param tenantId null for the operator, whom every event concerns */
export async function findEventRange(client: Tx, tenantId: string | null): Promise<EventRange> {
  const [row] = await client.$queryRaw<Array<{ newest: bigint; removed: bigint | null }>>`
    SELECT "value" AS "newest", "last_id" AS "removed"
    FROM "generation" LEFT JOIN "event_removal" ON "owner" = ${tenantId ?? OPERATOR}::text`;
  if (row === undefined) throw new MissingRowError("generation");
  return { newest: Number(row.newest), removedUpTo: Number(row.removed ?? 0) };
}

/** Events after `after` in commit order: those that concern `tenantId`, or all when it is null. */
export async function findEvents(
  client: Tx,
  tenantId: string | null,
  after: number,
  limit: number,
): Promise<StoredEvent[]> {
  const rows =
    tenantId === null
      ? await findAll(client, after, limit)
      : await findOfTenant(client, tenantId, after, limit);
  return rows.map(eventOf);
}

/**
 * What this transaction has stored so far, in order.
 * @param after the newest event before it began, or an older one
 */
export async function findOwnEvents(tx: Tx, after: number): Promise<StoredEvent[]> {
  const rows = await tx.$queryRaw<EventRow[]>`
    SELECT "id", "time", "actor_kind" AS "actorKind", "actor_tenant_id" AS "actorTenantId",
      "actor_access_key_id" AS "actorAccessKeyId", "resource_type" AS "resourceType",
      "resource_id" AS "resourceId", "action", "before", "after", "tenant_id" AS "tenantId",
      "other_tenant_id" AS "otherTenantId"
    FROM "event" WHERE "id" > ${after}::bigint AND "xmin" = pg_current_xact_id()::xid
    ORDER BY "id"`;
  return rows.map(eventOf);
}

export interface Kept {
  /** Events before this time are removed. */
  readonly since: Date;
  /** Of the newest, so many at most are kept. */
  readonly count: number;
}

/**
 * Removes some of the oldest events that are not to be kept, and notes for everybody whom they
 * concerned up to which one. An event goes with all before it, and never before one that stays.
 *
 * The search begins where the last one ended: what was removed there is still in the index.
 * @returns how many, at most `most`
 */
export async function removeOldEvents(client: Tx, kept: Kept, most: number): Promise<number> {
  const [row] = await client.$queryRaw<Array<{ removed: bigint }>>`
    WITH "oldest" AS MATERIALIZED (
      SELECT "id", "time" FROM "event"
      WHERE "id" > COALESCE(
        (SELECT "last_id" FROM "event_removal" WHERE "owner" = ${OPERATOR}::text), 0)
      ORDER BY "id" LIMIT ${most}::int
    ), "stays" AS (
      SELECT min("id") AS "first" FROM "oldest", "generation"
      WHERE "id" > "value" - ${kept.count}::bigint AND "time" >= ${kept.since}::timestamptz
    ), "gone" AS (
      DELETE FROM "event" USING "oldest", "stays"
      WHERE "event"."id" = "oldest"."id" AND ("first" IS NULL OR "oldest"."id" < "first")
      RETURNING "event"."id", "tenant_id", "other_tenant_id"
    ), "seen" AS (
      SELECT ${OPERATOR}::text AS "owner", "id" FROM "gone"
      UNION ALL SELECT "tenant_id", "id" FROM "gone" WHERE "tenant_id" IS NOT NULL
      UNION ALL SELECT "other_tenant_id", "id" FROM "gone" WHERE "other_tenant_id" IS NOT NULL
    ), "noted" AS (
      INSERT INTO "event_removal" ("owner", "last_id")
      SELECT "owner", max("id") FROM "seen" GROUP BY "owner" ORDER BY "owner"
      ON CONFLICT ("owner") DO UPDATE
        SET "last_id" = GREATEST("event_removal"."last_id", EXCLUDED."last_id")
    )
    SELECT count(*) AS "removed" FROM "gone"`;
  return Number(row?.removed ?? 0);
}

const OPERATOR = "operator";

function findAll(client: Tx, after: number, limit: number): Promise<EventRow[]> {
  return client.event.findMany({
    where: { id: { gt: BigInt(after) } },
    orderBy: { id: "asc" },
    take: limit,
  });
}

/** Each half by its index, so that as much is read as is answered, however much there is. */
function findOfTenant(
  client: Tx,
  tenantId: string,
  after: number,
  limit: number,
): Promise<EventRow[]> {
  return client.$queryRaw<EventRow[]>`
    SELECT "id", "time", "actor_kind" AS "actorKind", "actor_tenant_id" AS "actorTenantId",
      "actor_access_key_id" AS "actorAccessKeyId", "resource_type" AS "resourceType",
      "resource_id" AS "resourceId", "action", "before", "after", "tenant_id" AS "tenantId",
      "other_tenant_id" AS "otherTenantId"
    FROM (
      (SELECT * FROM "event" WHERE "tenant_id" = ${tenantId} AND "id" > ${after}::bigint
        ORDER BY "id" LIMIT ${limit}::int)
      UNION ALL
      (SELECT * FROM "event" WHERE "other_tenant_id" = ${tenantId} AND "id" > ${after}::bigint
          AND "tenant_id" IS DISTINCT FROM ${tenantId}
        ORDER BY "id" LIMIT ${limit}::int)
    ) AS "concerned"
    ORDER BY "id" LIMIT ${limit}::int`;
}

function eventOf({
  id,
  actorKind,
  actorTenantId,
  actorAccessKeyId,
  ...row
}: EventRow): StoredEvent {
  return {
    ...row,
    id: Number(id),
    actor: {
      kind: actorKind as Actor["kind"],
      tenantId: actorTenantId,
      accessKeyId: actorAccessKeyId,
    },
    resourceType: row.resourceType as ResourceType,
  };
}

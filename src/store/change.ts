import type { Actor, ResourceEvent, ResourceType } from "../domain/resources.js";
import type { Tx } from "./database/transaction.js";
import { noteChange } from "./idempotency.js";

export interface Change {
  readonly actor: Actor;
  readonly resourceType: ResourceType;
  readonly resourceId: string;
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly tenantId: string;
  readonly otherTenantId?: string | undefined;
}

/**
 * Takes the next generation and stores the event under it.
 *
 * The generation row stays locked until commit, which makes its order the commit order. Lock every
 * VPC row that the transaction will touch before calling this: all writers then take their locks in
 * one order and cannot deadlock.
 *
 * In a call with an idempotency key the change is noted under that key as well.
 * @throws DomainError `IdempotentRequestInProgress` when another attempt has the key by now
 */
export async function recordChange(tx: Tx, change: Change): Promise<number> {
  if (change.actor.claim !== undefined) await noteChange(tx, change.actor.claim, change);
  const { actor, otherTenantId = null } = change;
  const [row] = await tx.$queryRaw<Array<{ id: bigint }>>`
    WITH next AS (UPDATE "generation" SET "value" = "value" + 1 RETURNING "value")
    INSERT INTO "event" ("id", "actor_kind", "actor_tenant_id", "actor_access_key_id",
      "resource_type", "resource_id", "action", "before", "after", "tenant_id", "other_tenant_id")
    SELECT next."value", ${actor.kind}::text, ${actor.tenantId}::text, ${actor.accessKeyId}::text,
      ${change.resourceType}::text, ${change.resourceId}::text, ${change.action}::text,
      ${change.before}::text, ${change.after}::text, ${change.tenantId}::text, ${otherTenantId}::text
    FROM next RETURNING "id"`;
  if (row === undefined) throw new Error("the database has no generation");
  return Number(row.id);
}

/** The id of the last event, 0 before the first. */
export async function findLatestEventId(client: Tx): Promise<number> {
  const { value } = await client.generation.findUniqueOrThrow({ where: { singleton: true } });
  return Number(value);
}

/** Events after `after` in commit order: those that concern `tenantId`, or all when it is null. */
export async function findEvents(
  client: Tx,
  tenantId: string | null,
  after: number,
  limit: number,
): Promise<ResourceEvent[]> {
  const concerned = tenantId === null ? {} : { OR: [{ tenantId }, { otherTenantId: tenantId }] };
  const rows = await client.event.findMany({
    where: { ...concerned, id: { gt: BigInt(after) } },
    orderBy: { id: "asc" },
    take: limit,
  });
  return rows.map((row) => ({
    id: Number(row.id),
    time: row.time,
    actor: {
      kind: row.actorKind as Actor["kind"],
      tenantId: row.actorTenantId,
      accessKeyId: row.actorAccessKeyId,
    },
    resourceType: row.resourceType as ResourceType,
    resourceId: row.resourceId,
    action: row.action,
    before: row.before,
    after: row.after,
  }));
}

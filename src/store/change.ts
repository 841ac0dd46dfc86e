import type { Actor, ResourceType } from "../domain/resources.js";
import { noteRecorded } from "./database/commit-news.js";
import { MissingRowError } from "./database/missing-row.js";
import type { Tx } from "./database/transaction.js";
import { type NotedChange, noteChange } from "./idempotency.js";

export interface Change {
  readonly actor: Actor;
  readonly resourceType: ResourceType;
  readonly resourceId: string;
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Null: the platform's; only the operator sees it. */
  readonly tenantId: string | null;
  readonly otherTenantId?: string | undefined;
  /** What a repeated call is answered with, when it is not the resource itself. */
  readonly answeredWith?: NotedChange | undefined;
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
  if (change.actor.claim !== undefined) {
    await noteChange(tx, change.actor.claim, change.answeredWith ?? change);
  }
  return recordChanges(tx, [change]);
}

/**
 * As `recordChange` for changes that no call has asked for, with one statement for all of them.
 * @returns the generation of the last one; they have consecutive ones, in their order
 */
export async function recordChanges(tx: Tx, changes: readonly Change[]): Promise<number> {
  const [row] = await tx.$queryRaw<Array<{ id: bigint }>>`
    WITH next AS (
      UPDATE "generation" SET "value" = "value" + ${changes.length}::int RETURNING "value"
    ), made AS (
      INSERT INTO "event" ("id", "actor_kind", "actor_tenant_id", "actor_access_key_id",
        "resource_type", "resource_id", "action", "before", "after", "tenant_id", "other_tenant_id")
      SELECT next."value" - ${changes.length}::int + c."number", c."actorKind", c."actorTenantId",
        c."actorAccessKeyId", c."resourceType", c."resourceId", c."action", c."before", c."after",
        c."tenantId", c."otherTenantId"
      FROM next, jsonb_to_recordset(${JSON.stringify(changes.map(eventOf))}::jsonb) AS c(
        "number" int, "actorKind" text, "actorTenantId" text, "actorAccessKeyId" text,
        "resourceType" text, "resourceId" text, "action" text, "before" text, "after" text,
        "tenantId" text, "otherTenantId" text)
    )
    SELECT "value" AS "id" FROM next`;
  if (row === undefined) throw new MissingRowError("generation");
  noteRecorded(tx);
  return Number(row.id);
}

/** @param position among the changes of one statement */
function eventOf({ actor, ...change }: Change, position: number) {
  const { resourceType, resourceId, action, before, after, tenantId, otherTenantId } = change;
  return {
    number: position + 1,
    actorKind: actor.kind,
    actorTenantId: actor.tenantId,
    actorAccessKeyId: actor.accessKeyId,
    resourceType,
    resourceId,
    action,
    before,
    after,
    tenantId,
    otherTenantId,
  };
}

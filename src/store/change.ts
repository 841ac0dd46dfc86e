import type { Actor, ResourceEvent, ResourceType } from "../domain/resources.js";
import type { Tx } from "./database/transaction.js";

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
 */
export async function recordChange(tx: Tx, change: Change): Promise<number> {
  const { value } = await tx.generation.update({
    where: { singleton: true },
    data: { value: { increment: 1 } },
  });
  await tx.event.create({
    data: {
      id: value,
      actorKind: change.actor.kind,
      actorTenantId: change.actor.tenantId,
      actorAccessKeyId: change.actor.accessKeyId,
      resourceType: change.resourceType,
      resourceId: change.resourceId,
      action: change.action,
      before: change.before,
      after: change.after,
      tenantId: change.tenantId,
      otherTenantId: change.otherTenantId ?? null,
    },
  });
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

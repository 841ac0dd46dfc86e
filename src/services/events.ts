import { type Principal, requirePermission } from "../domain/principal.js";
import type { Page, PageRequest, ResourceEvent } from "../domain/resources.js";
import { findEvents, findLatestEventId } from "../store/change.js";
import type { ServiceContext } from "./context.js";

/** What happened to the caller's own resources after event `after`, in commit order. */
export async function listEvents(
  ctx: ServiceContext,
  caller: Principal,
  { after, limit }: PageRequest,
): Promise<Page<ResourceEvent>> {
  requirePermission(caller, "event:read");
  const events = await findEvents(ctx.db, caller.tenantId, after, limit);
  const items = events.map((event) => asSeenBy(caller, event));
  return { items, next: items.length < limit ? null : (items.at(-1)?.id ?? null) };
}

/** Where a stream that begins now starts. */
export async function latestEventId(ctx: ServiceContext, caller: Principal): Promise<number> {
  requirePermission(caller, "event:read");
  return findLatestEventId(ctx.db);
}

/** Which key of another tenant was used is that tenant's business. */
export function asSeenBy(caller: Principal, event: ResourceEvent): ResourceEvent {
  const own = caller.tenantId === null || caller.tenantId === event.actor.tenantId;
  return own ? event : { ...event, actor: { ...event.actor, accessKeyId: null } };
}

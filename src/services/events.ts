import { type Principal, requirePermission } from "../domain/principal.js";
import type { Page, PageRequest, ResourceEvent } from "../domain/resources.js";
import { findEventRange, findEvents } from "../store/events.js";
import type { ServiceContext } from "./context.js";
import { requireUnbroken } from "./streams/resume.js";

/**
 * What happened to the caller's own resources after event `after`, in commit order; after 0, what
 * there still is.
 * @throws DomainError `Gone` when something is missing in between
 */
export async function listEvents(
  ctx: ServiceContext,
  caller: Principal,
  { after, limit }: PageRequest,
): Promise<Page<ResourceEvent>> {
  requirePermission(caller, "event:read");
  const events = await findEvents(ctx.db, caller.tenantId, after, limit);
  // After the read: what is removed meanwhile may be missing in it.
  if (after > 0) requireUnbroken(after, await findEventRange(ctx.db, caller.tenantId));
  const items = events.map((event) => asSeenBy(caller, event));
  return { items, next: items.length < limit ? null : (items.at(-1)?.id ?? null) };
}

/** Where a list that is empty from its beginning goes on: what has been removed is not missing in it. */
export async function emptyListEnd(ctx: ServiceContext, caller: Principal): Promise<number> {
  return (await findEventRange(ctx.db, caller.tenantId)).removedUpTo;
}

/** Which key of another tenant was used is that tenant's business. */
export function asSeenBy(caller: Principal, event: ResourceEvent): ResourceEvent {
  const own = caller.tenantId === null || caller.tenantId === event.actor.tenantId;
  return own ? event : { ...event, actor: { ...event.actor, accessKeyId: null } };
}

import type { Snapshot, StoredEvent, StoredPeering } from "./snapshot.js";

/** Every step that a peering may take; null is before it was asked for. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  null: ["pending-acceptance"],
  "pending-acceptance": ["provisioning", "failed", "rejected", "expired", "deleted"],
  provisioning: ["active", "deleting"],
  active: ["deleting"],
  deleting: ["deleted"],
};
const ENDED = ["failed", "rejected", "expired", "deleted"];

export function eventProblems({ events, generation, peerings, vpcs }: Snapshot): string[] {
  const histories = new Map<string, StoredEvent[]>();
  for (const event of events) {
    if (event.resourceType !== "vpc-peering") continue;
    histories.set(event.resourceId, [...(histories.get(event.resourceId) ?? []), event]);
  }
  const present = new Map(peerings.map((peering) => [peering.id, peering]));
  return [
    ...gaps(events, generation),
    ...peerings.filter(({ id }) => !histories.has(id)).map(({ id }) => `${id} has no events`),
    ...[...histories].flatMap(([id, history]) => historyProblems(history, present.get(id))),
    ...existenceProblems(
      events,
      vpcs.map(({ id }) => id),
    ),
  ];
}

function gaps(events: readonly StoredEvent[], generation: number): string[] {
  const gapless = events.every(({ id }, at) => Number(id) === at + 1);
  return gapless && events.length === generation
    ? []
    : [`event ids are not 1 to ${generation}: ${events.map(({ id }) => id).join(" ")}`];
}

/** A legal path that begins with the request and ends where the peering is, or, forgotten, at an end. */
function historyProblems(
  history: readonly StoredEvent[],
  peering: StoredPeering | undefined,
): string[] {
  const problems: string[] = [];
  let state: string | null = null;
  for (const { id, resourceId, before, after, otherTenantId } of history) {
    const step = `event ${id}: ${resourceId} from ${before} to ${after}`;
    if (before !== state) problems.push(`${step}, but it was ${state}`);
    if (!STEPS[String(before)]?.includes(after ?? "")) problems.push(`${step} is not legal`);
    if (peering !== undefined && otherTenantId !== otherTenantOf(peering)) {
      problems.push(`${step} is shown to ${otherTenantId}`);
    }
    state = after;
  }
  const agrees = peering === undefined ? ENDED.includes(state ?? "") : peering.state === state;
  return agrees ? problems : [...problems, `events end ${state}, stored is ${peering?.state}`];
}

function otherTenantOf(peering: StoredPeering): string | null {
  const within = peering.requesterTenantId === peering.accepterTenantId;
  return within || peering.doomedAt !== null ? null : peering.accepterTenantId;
}

/** A VPC is created once, deleted at most once, and changed only in between. */
function existenceProblems(events: readonly StoredEvent[], present: readonly string[]): string[] {
  const alive = new Set<string>();
  const problems: string[] = [];
  for (const { id, resourceType, resourceId, action } of events) {
    if (resourceType !== "vpc") continue;
    if (alive.has(resourceId) === (action === "create")) {
      problems.push(`event ${id}: ${action} of ${resourceId}`);
    }
    if (action === "delete") alive.delete(resourceId);
    else alive.add(resourceId);
  }
  const same = [...alive].sort().join() === [...present].sort().join();
  return same ? problems : [...problems, "events and stored VPCs differ"];
}

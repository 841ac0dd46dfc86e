import type { PeeringState } from "./lifecycle.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long events are kept, and how many. */
export interface EventRetention {
  readonly days: number;
  readonly count: number;
}

export const DEFAULT_EVENT_RETENTION: EventRetention = { days: 90, count: 1_000_000 };

/** Events from before are removed. */
export function keptSince({ days }: EventRetention, now: Date): Date {
  return new Date(now.getTime() - days * DAY_MS);
}

/** How long each side still sees a peering that has ended. */
export interface Retention {
  readonly requesterMs: number;
  readonly accepterMs: number;
}

/** Whose call a peering ended by, if anybody's; and whether it was a request still, not answered. */
export interface Ending {
  readonly requester: boolean;
  readonly accepter: boolean;
  readonly withdrawn?: boolean;
}

/**
 * As in EC2 ("VPC peering connection lifecycle"), but that a request which its sender withdraws
 * vanishes for its receiver: what others do and undo must not fill anybody's list. For whoever sent
 * it no peering that has ended is gone before `REQUESTS_COUNTED_MS`: requests are counted by them.
 */
export function retentionOf(state: PeeringState, ended: Ending): Retention {
  if (state === "rejected") return { requesterMs: 2 * DAY_MS, accepterMs: 2 * HOUR_MS };
  if (state === "expired") return { requesterMs: 2 * DAY_MS, accepterMs: 2 * DAY_MS };
  if (state === "failed") return { requesterMs: 2 * HOUR_MS, accepterMs: 2 * HOUR_MS };
  if (ended.withdrawn) {
    return { requesterMs: 2 * HOUR_MS, accepterMs: ended.accepter ? 2 * HOUR_MS : 0 };
  }
  return {
    requesterMs: ended.requester ? 2 * HOUR_MS : 2 * DAY_MS,
    accepterMs: ended.accepter ? 2 * HOUR_MS : 2 * DAY_MS,
  };
}

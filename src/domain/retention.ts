import type { PeeringState } from "./lifecycle.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long each side still sees a peering that has ended. */
export interface Retention {
  readonly requesterMs: number;
  readonly accepterMs: number;
}

/** As in EC2 ("VPC peering connection lifecycle"); `ended` tells whose call it was, if anybody's. */
export function retentionOf(
  state: PeeringState,
  ended: { readonly requester: boolean; readonly accepter: boolean },
): Retention {
  if (state === "rejected") return { requesterMs: 2 * DAY_MS, accepterMs: 2 * HOUR_MS };
  if (state === "expired") return { requesterMs: 2 * DAY_MS, accepterMs: 2 * DAY_MS };
  if (state === "failed") return { requesterMs: 2 * HOUR_MS, accepterMs: 2 * HOUR_MS };
  return {
    requesterMs: ended.requester ? 2 * HOUR_MS : 2 * DAY_MS,
    accepterMs: ended.accepter ? 2 * HOUR_MS : 2 * DAY_MS,
  };
}

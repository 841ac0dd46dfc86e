import { isAgreed, type PeeringState } from "../domain/lifecycle.js";
import type { Actor, VpcPeering } from "../domain/resources.js";
import type { Change } from "../store/change.js";

/** One message for everything that can be wrong with the far side, so that it tells nothing. */
export const SETUP_FAILED =
  "The peering could not be set up. Check the ids of the accepter VPC and its tenant, and that the CIDR blocks of the two VPCs do not overlap.";

/** What an event needs to know of a peering; `state` is null before it exists. */
export interface ChangedPeering {
  readonly id: string;
  readonly state: PeeringState | null;
  readonly doomedAt: VpcPeering["doomedAt"];
  readonly requester: { readonly tenantId: string };
  readonly accepter: { readonly tenantId: string };
}

/** The event of a peering's change. A doomed request never concerned its accepter. */
export function peeringChange(
  actor: Actor,
  peering: ChangedPeering,
  action: string,
  after: PeeringState,
): Change {
  const { requester, accepter } = peering;
  const shared = peering.doomedAt === null && accepter.tenantId !== requester.tenantId;
  return {
    actor,
    resourceType: "vpc-peering",
    resourceId: peering.id,
    action,
    before: peering.state,
    after,
    tenantId: requester.tenantId,
    otherTenantId: shared ? accepter.tenantId : undefined,
  };
}

/**
 * The event of a change to one side's own settings. Without an agreement, or once it has ended, it
 * is none of the other side's business, who could be told of any number of them.
 */
export function settingsChange(
  actor: Actor,
  peering: VpcPeering,
  action: string,
  tenantId: string,
): Change {
  const change = peeringChange(actor, peering, action, peering.state);
  return isAgreed(peering.state) ? change : { ...change, tenantId, otherTenantId: undefined };
}

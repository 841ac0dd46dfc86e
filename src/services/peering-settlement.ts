import type { Principal } from "../domain/principal.js";
import type { VpcPeering } from "../domain/resources.js";
import { aside } from "../domain/turn.js";
import { findPeering } from "../store/vpc-peerings.js";
import type { ServiceContext } from "./context.js";

/** Another daemon on the same database may settle it, which nobody announces here. */
const LOOK_AGAIN_MS = 1000;

/**
 * The peering once it has left `provisioning` or `deleting`, or as it is after `waitMs`. To be
 * called in the turn in which the reconciler was woken: so no announcement is missed.
 */
export async function settled(
  ctx: ServiceContext,
  caller: Principal,
  peering: VpcPeering,
  waitMs: number,
): Promise<VpcPeering> {
  const deadline = performance.now() + waitMs;
  let current = peering;
  while (isSettling(current) && !ctx.settlements.closed) {
    const remaining = deadline - performance.now();
    if (remaining <= 0) break;
    const limitMs = Math.min(remaining, LOOK_AGAIN_MS);
    await aside(caller, () => ctx.settlements.next(peering.id, limitMs));
    current = (await findPeering(ctx.db, peering.id)) ?? current;
  }
  return current;
}

function isSettling(peering: VpcPeering): boolean {
  return peering.state === "provisioning" || peering.state === "deleting";
}

import type { VpcPeering } from "../domain/resources.js";
import { findPeering } from "../store/vpc-peerings.js";
import type { ServiceContext } from "./context.js";

/** The peering once it has left `provisioning` or `deleting`, or as it is after `waitMs`. */
export async function settled(
  ctx: ServiceContext,
  peering: VpcPeering,
  waitMs: number,
): Promise<VpcPeering> {
  const deadline = ctx.clock().getTime() + waitMs;
  let current = peering;
  while (isSettling(current)) {
    const remaining = deadline - ctx.clock().getTime();
    if (remaining <= 0 || ctx.settlements.closed) return current;
    const next = ctx.settlements.next(peering.id, remaining);
    current = (await findPeering(ctx.db, peering.id)) ?? current;
    if (!isSettling(current)) return current;
    await next;
    current = (await findPeering(ctx.db, peering.id)) ?? current;
  }
  return current;
}

function isSettling(peering: VpcPeering): boolean {
  return peering.state === "provisioning" || peering.state === "deleting";
}

import type { PeeringState } from "../domain/lifecycle.js";
import { SYSTEM, type VpcPeering } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { transitionPeering } from "../store/peering-transitions.js";
import {
  findDoomedPeerings,
  findExpiredPeerings,
  findPeering,
  removeHiddenPeerings,
} from "../store/vpc-peerings.js";
import { lockVpcRows } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { peeringChange, SETUP_FAILED } from "./peering-changes.js";

/** Ends the requests that cannot succeed. */
export async function failDoomedRequests(ctx: ServiceContext): Promise<void> {
  for (const peering of await findDoomedPeerings(ctx.db, ctx.clock())) {
    await endPending(ctx, peering, failPeering);
  }
}

/** Ends the requests that nobody has answered in time. */
export async function expireRequests(ctx: ServiceContext): Promise<void> {
  for (const peering of await findExpiredPeerings(ctx.db, ctx.clock())) {
    await endPending(ctx, peering, expirePeering);
  }
}

/** Forgets the peerings that have ended and that neither side sees any more. */
export async function forgetHiddenPeerings(ctx: ServiceContext): Promise<number> {
  return removeHiddenPeerings(ctx.db, ctx.clock());
}

/** Moves a pending peering, locked by the caller, to `expired`. */
export async function expirePeering(
  ctx: ServiceContext,
  tx: Tx,
  peering: VpcPeering,
): Promise<VpcPeering> {
  return end(ctx, tx, peering, "expire", "expired", "Nobody answered in time");
}

/** Moves a pending peering, locked by the caller, to `failed`, telling nobody why. */
export async function failPeering(
  ctx: ServiceContext,
  tx: Tx,
  peering: VpcPeering,
): Promise<VpcPeering> {
  return end(ctx, tx, peering, "fail", "failed", SETUP_FAILED);
}

async function endPending(
  ctx: ServiceContext,
  { id, requester, accepter }: VpcPeering,
  endIt: (ctx: ServiceContext, tx: Tx, peering: VpcPeering) => Promise<VpcPeering>,
): Promise<void> {
  await inTransaction(ctx.db, async (tx) => {
    await lockVpcRows(tx, [requester.vpcId, accepter.vpcId]);
    const peering = await findPeering(tx, id);
    if (peering?.state === "pending-acceptance") await endIt(ctx, tx, peering);
  });
}

async function end(
  ctx: ServiceContext,
  tx: Tx,
  peering: VpcPeering,
  action: string,
  to: PeeringState,
  statusMessage: string,
): Promise<VpcPeering> {
  const generation = await recordChange(tx, peeringChange(SYSTEM, peering, action, to));
  const at = ctx.clock();
  const ended = await transitionPeering(tx, peering, { to, statusMessage, at, generation });
  if (ended === null) throw new Error(`peering ${peering.id} changed under its lock`);
  return ended;
}

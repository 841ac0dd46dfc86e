import type { PeeringState } from "../domain/lifecycle.js";
import { SYSTEM, type VpcPeering } from "../domain/resources.js";
import { togetherOrApart } from "../store/apart.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import {
  findDoomedPeerings,
  findExpiredPeerings,
  findHiddenPeerings,
  type Part,
  removePeerings,
} from "../store/due-peerings.js";
import { transitionPeering } from "../store/peering-transitions.js";
import { findPeering } from "../store/vpc-peerings.js";
import { lockVpcRows } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { peeringChange, SETUP_FAILED } from "./peering-changes.js";
import { eachRow, type RowGuard, strict } from "./row-guard.js";

const PART_SIZE = 1000;

/** Ends the requests that cannot succeed. */
export async function failDoomedRequests(
  ctx: ServiceContext,
  guard: RowGuard = strict,
  partSize = PART_SIZE,
): Promise<void> {
  const now = ctx.clock();
  await inParts(partSize, async (part) => {
    const due = await findDoomedPeerings(ctx.db, now, part);
    await eachRow(due, guard, (peering) => endPending(ctx, peering, failPeering));
    return due;
  });
}

/** Ends the requests that nobody has answered in time. */
export async function expireRequests(
  ctx: ServiceContext,
  guard: RowGuard = strict,
  partSize = PART_SIZE,
): Promise<void> {
  const now = ctx.clock();
  await inParts(partSize, async (part) => {
    const due = await findExpiredPeerings(ctx.db, now, part);
    await eachRow(due, guard, (peering) => endPending(ctx, peering, expirePeering));
    return due;
  });
}

/** Forgets the peerings that have ended and that neither side sees any more. */
export async function forgetHiddenPeerings(
  ctx: ServiceContext,
  guard: RowGuard = strict,
  partSize = PART_SIZE,
): Promise<void> {
  const now = ctx.clock();
  await inParts(partSize, async (part) => {
    const hidden = await findHiddenPeerings(ctx.db, now, part);
    const ids = hidden.map(({ id }) => id).filter((id) => guard.isDue(id));
    const failed = await togetherOrApart(ids, (some) => removePeerings(ctx.db, some));
    const kept = new Set(failed.map(({ item }) => item));
    for (const id of ids) if (!kept.has(id)) guard.done(id);
    for (const { item, error } of failed) guard.failed(item, error);
    return hidden;
  });
}

/** All that is due, part by part: what remains of an earlier part keeps no later one waiting. */
async function inParts(
  size: number,
  deal: (part: Part) => Promise<ReadonlyArray<{ readonly number: number }>>,
): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await deal({ after, size });
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) return;
    after = last.number;
  }
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

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

type Sweep = (ctx: ServiceContext, guard?: RowGuard, partSize?: number) => Promise<void>;

/** Ends the requests that cannot succeed. */
export const failDoomedRequests: Sweep = (ctx, guard = strict, partSize = PART_SIZE) =>
  endDue({ find: findDoomedPeerings, end: failPeering }, ctx, guard, partSize);

/** Ends the requests that nobody has answered in time. */
export const expireRequests: Sweep = (ctx, guard = strict, partSize = PART_SIZE) =>
  endDue({ find: findExpiredPeerings, end: expirePeering }, ctx, guard, partSize);

/** Forgets the peerings that have ended and that neither side sees any more. */
export const forgetHiddenPeerings: Sweep = async (ctx, guard = strict, partSize = PART_SIZE) => {
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
};

type End = (ctx: ServiceContext, tx: Tx, peering: VpcPeering) => Promise<VpcPeering>;

/** Which pending requests are due, and how one of them ends. */
interface Due {
  readonly find: typeof findExpiredPeerings;
  readonly end: End;
}

async function endDue(
  { find, end }: Due,
  ctx: ServiceContext,
  guard: RowGuard,
  partSize: number,
): Promise<void> {
  const now = ctx.clock();
  await inParts(partSize, async (part) => {
    const due = await find(ctx.db, now, part);
    await eachRow(due, guard, (peering) => endPending(ctx, peering, end));
    return due;
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
export const expirePeering: End = (ctx, tx, peering) =>
  end(ctx, tx, peering, "expire", "expired", "Nobody answered in time");

/** Moves a pending peering, locked by the caller, to `failed`, telling nobody why. */
export const failPeering: End = (ctx, tx, peering) =>
  end(ctx, tx, peering, "fail", "failed", SETUP_FAILED);

async function endPending(
  ctx: ServiceContext,
  { id, requester, accepter }: VpcPeering,
  endIt: End,
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

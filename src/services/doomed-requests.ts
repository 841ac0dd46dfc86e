import { recordChange } from "../store/change.js";
import { inTransaction } from "../store/database/transaction.js";
import { findDoomedPeerings, lockPeering, transitionPeering } from "../store/vpc-peerings.js";
import { lockVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { peeringChange, SETUP_FAILED, SYSTEM } from "./peering-changes.js";

/** Requests across tenants that cannot succeed are to be failed within a second. */
const SWEEP_INTERVAL_MS = 400;

interface Log {
  warn(details: object, message: string): void;
}

/** Fails every request that cannot succeed, at once and again and again until stopped. */
export function startDoomedSweep(ctx: ServiceContext, log: Log): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const sweepAndReschedule = async (): Promise<void> => {
    await failDoomedRequests(ctx).catch((error: unknown) => {
      log.warn({ err: error }, "could not settle requests that cannot succeed; trying again");
    });
    if (!stopped) timer = setTimeout(run, SWEEP_INTERVAL_MS);
  };
  let running = sweepAndReschedule();
  function run(): void {
    running = sweepAndReschedule();
  }
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

export async function failDoomedRequests(ctx: ServiceContext): Promise<void> {
  const due = await findDoomedPeerings(ctx.db, ctx.clock());
  for (const { id, requester, accepter } of due) {
    await inTransaction(ctx.db, async (tx) => {
      await lockVpcs(tx, [requester.vpcId, accepter.vpcId]);
      const peering = await lockPeering(tx, id);
      if (peering?.state !== "pending-acceptance") return;
      const generation = await recordChange(tx, peeringChange(SYSTEM, peering, "fail", "failed"));
      await transitionPeering(tx, {
        id,
        from: peering.state,
        to: "failed",
        statusMessage: SETUP_FAILED,
        at: ctx.clock(),
        generation,
      });
    });
  }
}

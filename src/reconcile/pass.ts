import type { Backend, Outcome, Plan } from "../backends/backend.js";
import type { IntentSlice, PeeringIntent } from "../domain/intent.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { settlePeerings } from "../store/settle-peerings.js";
import type { Work } from "./dirty-set.js";
import type { IntentSource } from "./intent-source.js";

export interface PassResult {
  readonly plan: Plan;
  readonly outcome: Outcome;
  /** Peerings whose state was written back. */
  readonly settled: readonly string[];
  readonly unsettled: readonly Unsettled[];
}

/** A peering whose state could not be written back, while that of others could. */
export interface Unsettled {
  readonly id: string;
  readonly vpcIds: readonly string[];
  readonly error: unknown;
}

export interface PassDeps {
  readonly db: PrismaClient;
  readonly intent: IntentSource;
  readonly backend: Backend;
  readonly clock: () => Date;
}

/** Observe, render, diff: nothing is changed. */
export function planPass(
  deps: PassDeps,
  work: Work,
  intent: Promise<IntentSlice> = deps.intent.load(work.scope),
): Promise<Plan> {
  return deps.backend.plan(intent, { fresh: work.fresh && work.isRead !== true });
}

/** Apply, and write back what the switch has confirmed. */
export async function applyPass(deps: PassDeps, plan: Plan): Promise<PassResult> {
  const outcome = await deps.backend.apply(plan);
  if (deps.intent.isRecalled(plan.intent)) return { plan, outcome, settled: [], unsettled: [] };
  return { plan, outcome, ...(await writeBack(deps, plan.intent, outcome)) };
}

async function writeBack(
  { db, clock }: PassDeps,
  { peerings }: IntentSlice,
  { installedPeerings, removedPeerings }: Outcome,
): Promise<Pick<PassResult, "settled" | "unsettled">> {
  const settling = peerings.filter((peering) => peering.settling);
  const confirmed = new Set([...installedPeerings, ...removedPeerings]);
  const due = settling.filter(({ id }) => confirmed.has(id));
  if (due.length === 0) return { settled: [], unsettled: [] };
  const failed = await settlePeerings(
    db,
    {
      installed: due.filter(({ admitted }) => admitted).map(({ id }) => id),
      removed: due.filter(({ admitted }) => !admitted).map(({ id }) => id),
    },
    clock(),
  );
  const errors = new Map(failed.map(({ item, error }) => [item, error]));
  return {
    settled: due.map(({ id }) => id).filter((id) => !errors.has(id)),
    unsettled: due
      .filter(({ id }) => errors.has(id))
      .map((peering) => ({
        id: peering.id,
        vpcIds: endsOf(peering),
        error: errors.get(peering.id),
      })),
  };
}

function endsOf({ requester, accepter }: PeeringIntent): string[] {
  return [requester.vpcId, accepter.vpcId];
}

import type { Backend, Outcome, Plan } from "../backends/backend.js";
import type { IntentSlice } from "../domain/intent.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { settlePeerings } from "../store/settle-peerings.js";
import type { Work } from "./dirty-set.js";
import type { IntentSource } from "./intent-source.js";

export interface PassResult {
  readonly plan: Plan;
  readonly outcome: Outcome;
  /** Peerings whose state was written back. */
  readonly settled: readonly string[];
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
  if (deps.intent.isRecalled(plan.intent)) return { plan, outcome, settled: [] };
  return { plan, outcome, settled: await writeBack(deps, plan.intent, outcome) };
}

async function writeBack(
  { db, clock }: PassDeps,
  { peerings }: IntentSlice,
  { installedPeerings, removedPeerings }: Outcome,
): Promise<string[]> {
  const settling = peerings.filter((peering) => peering.settling);
  const confirmed = new Set([...installedPeerings, ...removedPeerings]);
  const due = settling.filter(({ id }) => confirmed.has(id));
  if (due.length === 0) return [];
  await settlePeerings(
    db,
    {
      installed: due.filter(({ admitted }) => admitted).map(({ id }) => id),
      removed: due.filter(({ admitted }) => !admitted).map(({ id }) => id),
      vpcIds: due.flatMap(({ requester, accepter }) => [requester.vpcId, accepter.vpcId]),
    },
    clock(),
  );
  return due.map(({ id }) => id);
}

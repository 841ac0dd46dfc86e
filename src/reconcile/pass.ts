import type { Backend, Outcome, Plan } from "../backends/backend.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { loadIntent } from "../store/intent-snapshot.js";
import { findUnsettled, settlePeerings } from "../store/settle-peerings.js";
import type { Work } from "./dirty-set.js";

export interface PassResult {
  readonly plan: Plan;
  readonly outcome: Outcome;
  /** Peerings whose state was written back. */
  readonly settled: readonly string[];
}

export interface PassDeps {
  readonly db: PrismaClient;
  readonly backend: Backend;
  readonly clock: () => Date;
}

/** Observe, render, diff: nothing is changed. */
export async function planPass(deps: PassDeps, work: Work): Promise<Plan> {
  const intent = await loadIntent(deps.db, work.scope);
  return deps.backend.plan(intent, { fresh: work.fresh });
}

/** Apply, and write back what the switch has confirmed. */
export async function applyPass(deps: PassDeps, plan: Plan): Promise<PassResult> {
  const outcome = await deps.backend.apply(plan);
  return { plan, outcome, settled: await writeBack(deps, outcome) };
}

async function writeBack({ db, clock }: PassDeps, outcome: Outcome): Promise<string[]> {
  const confirmed = [...outcome.installedPeerings, ...outcome.removedPeerings];
  if (confirmed.length === 0) return [];
  const unsettled = await findUnsettled(db, confirmed);
  if (unsettled.size === 0) return [];
  const due = (ids: readonly string[]): string[] => ids.filter((id) => unsettled.has(id));
  const installed = due(outcome.installedPeerings);
  const removed = due(outcome.removedPeerings);
  await settlePeerings(db, { installed, removed }, clock());
  return [...unsettled];
}

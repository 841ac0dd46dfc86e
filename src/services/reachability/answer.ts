import { setTimeout as pause } from "node:timers/promises";
import type { DataPlaneView } from "../../domain/data-plane.js";
import type { IntentSlice } from "../../domain/intent.js";
import { maySee, type Principal, requirePermission } from "../../domain/principal.js";
import { hideFarSide } from "../../domain/reachability/far-side.js";
import { judge } from "../../domain/reachability/judge.js";
import { asPlanned, isForNow } from "../../domain/reachability/plan.js";
import type { Facts, Question } from "../../domain/reachability/question.js";
import {
  agree,
  type Probe,
  type TraceOutcome,
  type TraceStep,
  type Tracing,
  untraceable,
} from "../../domain/reachability/trace.js";
import type { Verdict } from "../../domain/reachability/verdict.js";
import { aside, askSwitch } from "../../domain/turn.js";
import { loadIntent } from "../../store/intent-snapshot.js";
import { findVpc } from "../../store/vpcs.js";
import type { ServiceContext } from "../context.js";
import { loadFacts } from "./facts.js";
import { namingPending } from "./pending.js";
import { probeOf } from "./probe.js";
import { type ReachabilityQuery, resolveQuestion } from "./resolve.js";
import { endsOf, fullInterfaces, roomForAll } from "./room.js";

export interface ReachabilityAnswer {
  /** As far as the caller may know. */
  readonly verdict: Verdict;
  /** Where the verdict is for now only: what it would be with all own interfaces plugged in. */
  readonly planned: Verdict | undefined;
  readonly confirmation: Confirmation;
}

/** What the switch says to the verdict. */
export interface Confirmation {
  readonly confirmed: boolean;
  readonly drift: boolean;
  /** Why it is not confirmed. */
  readonly message: string | undefined;
  readonly there: readonly TraceStep[];
  readonly back: readonly TraceStep[];
}

/** What is known of the switch, and the switch itself. */
export interface Plane {
  readonly view: DataPlaneView;
  readonly tracing: Tracing;
}

/** A switch that has yet to follow is given this long to do so before it is said to differ. */
const ATTEMPTS = 10;
const PAUSE_MS = 150;

/**
 * Whether an own interface can open a connection. A tenant learns of a stranger's side of a peering
 * no more than whether it is reached.
 * @throws DomainError as `resolveQuestion`
 */
export async function explainReachability(
  ctx: ServiceContext,
  plane: Plane,
  caller: Principal,
  query: ReachabilityQuery,
): Promise<ReachabilityAnswer> {
  const question = await resolveQuestion(ctx, caller, query);
  requirePermission(caller, "network_interface:read");
  return query.plan === true
    ? explainPlan(ctx, plane, caller, question)
    : explainPresent(ctx, plane, caller, question);
}

/** What intent says, with all own interfaces plugged in. */
async function explainPlan(
  ctx: ServiceContext,
  { view }: Plane,
  caller: Principal,
  question: Question,
): Promise<ReachabilityAnswer> {
  const { facts } = await loadFacts(ctx, view, question);
  const verdict = await plannedFor(ctx, caller, { facts, view, question });
  const message = "this is a plan: no packet is followed through the switch";
  const confirmation = { confirmed: false, drift: false, message, there: [], back: [] };
  return { verdict, planned: undefined, confirmation };
}

async function explainPresent(
  ctx: ServiceContext,
  plane: Plane,
  caller: Principal,
  question: Question,
): Promise<ReachabilityAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const comparison = await compare(ctx, caller, plane, question);
    const { facts, verdict, differs, upToDate } = comparison;
    // What was read first may have been superseded: so a difference must be seen twice.
    const mayPass = attempt === 1 || (!upToDate && attempt < ATTEMPTS);
    if (differs && mayPass) {
      await aside(caller, () => pause(PAUSE_MS));
      continue;
    }
    const shown = await tell(ctx, caller, { facts, question }, verdict);
    return {
      verdict: shown,
      planned: isForNow(shown)
        ? await plannedFor(ctx, caller, { facts, view: plane.view, question })
        : undefined,
      confirmation: await confirm(ctx, caller, shown, comparison),
    };
  }
}

interface Asked {
  readonly facts: Facts;
  readonly view: DataPlaneView;
  readonly question: Question;
}

async function plannedFor(
  ctx: ServiceContext,
  caller: Principal,
  { facts: present, view, question }: Asked,
): Promise<Verdict> {
  const strangers = await strangersAmong(ctx, caller, present);
  const ends = endsOf(question.networkInterfaceId, judged(asPlanned(present, strangers), question));
  const concerned = ends.filter((id) => strangers.has(id));
  const isFull =
    concerned.length === 0
      ? roomForAll
      : await askSwitch(caller, () => fullInterfaces(view, concerned));
  const facts = asPlanned({ ...present, isFull }, strangers);
  return tell(ctx, caller, { facts, question }, judged(facts, question));
}

/** Ids of the interfaces of VPCs that are not the caller's. */
async function strangersAmong(
  ctx: ServiceContext,
  caller: Principal,
  { vpcs }: Facts,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const vpc of vpcs.values()) {
    if (await isOwn(ctx, caller, vpc.id)) continue;
    for (const { id } of vpc.interfaces) ids.add(id);
  }
  return ids;
}

interface Comparison {
  readonly facts: Facts;
  readonly verdict: Verdict;
  readonly outcome: TraceOutcome;
  readonly differs: boolean;
  /** Whether the switch is known to have followed all that the verdict rests on. */
  readonly upToDate: boolean;
}

async function compare(
  ctx: ServiceContext,
  caller: Principal,
  plane: Plane,
  question: Question,
): Promise<Comparison> {
  const { slice, facts } = await loadFacts(ctx, plane.view, question);
  const verdict = await judgeWithRoom(facts, caller, plane.view, question);
  const untold = whyUntold(verdict);
  const probe = probeOf(slice.vpcs, question, verdict);
  const ask = () => follow(plane, verdict, probe);
  const outcome = untold === undefined ? await askSwitch(caller, ask) : untold;
  const vpcIds = [...slice.vpcs.keys()];
  const generations = [...slice.vpcs.values()].map(({ generation }) => generation);
  const { state } = plane.view.status(vpcIds, Math.max(...generations));
  const sender = { networkInterfaceId: question.networkInterfaceId };
  const differs = outcome.kind === "traced" && !agree(verdict, sender, outcome);
  const upToDate = state === "programmed" && !(differs && (await isSuperseded(ctx, slice)));
  return { facts, verdict, outcome, differs, upToDate };
}

function whyUntold(verdict: Verdict): TraceOutcome | undefined {
  const why = untraceable(verdict);
  return why === undefined ? undefined : { kind: "untraced", why };
}

/** A trace knows no connections: that there are too many the switch has said by their number. */
async function follow({ tracing }: Plane, { stop }: Verdict, probe: Probe): Promise<TraceOutcome> {
  if (stop?.code !== "connectionLimit") return tracing.trace(probe);
  const there = { steps: [], dropped: undefined, delivered: undefined };
  return { kind: "traced", there, back: undefined };
}

/** Whether something has been stored since that the switch may have followed when it was asked. */
async function isSuperseded(ctx: ServiceContext, { vpcs }: IntentSlice): Promise<boolean> {
  const now = await loadIntent(ctx.db, new Set(vpcs.keys()), ctx.quotas);
  return [...vpcs.values()].some((vpc) => now.vpcs.get(vpc.id)?.generation !== vpc.generation);
}

/** Whose room counts is known once it is known who would answer. */
async function judgeWithRoom(
  facts: Facts,
  caller: Principal,
  view: DataPlaneView,
  question: Question,
): Promise<Verdict> {
  const ends = endsOf(question.networkInterfaceId, judged(facts, question));
  const isFull = await askSwitch(caller, () => fullInterfaces(view, ends));
  return judged({ ...facts, isFull }, question);
}

function judged(facts: Facts, question: Question): Verdict {
  const verdict = judge(facts, question);
  if (verdict === undefined) throw new Error("facts that are not enough to judge by");
  return verdict;
}

/** What the caller may know of a verdict, and what may help. */
async function tell(
  ctx: ServiceContext,
  caller: Principal,
  asked: { readonly facts: Facts; readonly question: Question },
  verdict: Verdict,
): Promise<Verdict> {
  return showTo(ctx, caller, await namingPending(ctx, caller, asked, verdict));
}

async function showTo(ctx: ServiceContext, caller: Principal, verdict: Verdict): Promise<Verdict> {
  const farId = verdict.through?.toVpcId;
  return farId === undefined || (await isOwn(ctx, caller, farId)) ? verdict : hideFarSide(verdict);
}

async function isOwn(ctx: ServiceContext, caller: Principal, vpcId: string): Promise<boolean> {
  if (caller.tenantId === null) return true;
  const vpc = await findVpc(ctx.db, vpcId, caller.tenantId);
  return vpc !== null && maySee(caller, vpc.tenantId);
}

async function confirm(
  ctx: ServiceContext,
  caller: Principal,
  shown: Verdict,
  { outcome, differs }: Comparison,
): Promise<Confirmation> {
  if (outcome.kind === "untraced") {
    return { confirmed: false, drift: false, message: outcome.why, there: [], back: [] };
  }
  if (shown.stop?.code === "receiverPortDead") {
    const there = await ownSteps(ctx, caller, outcome.there.steps);
    return { confirmed: false, drift: false, message: BEHIND_FLOWS, there, back: [] };
  }
  const message = differs ? "the flows on the switch are not what intent asks for" : undefined;
  const common = { confirmed: !differs, drift: differs, message };
  // How far a packet gets may hang on what is on the far side.
  if (shown.stop?.code === "farSide") return { ...common, there: [], back: [] };
  const { there, back } = outcome;
  return {
    ...common,
    there: await ownSteps(ctx, caller, there.steps),
    back: await ownSteps(ctx, caller, back?.steps ?? []),
  };
}

const BEHIND_FLOWS =
  "the flows lead to the receiver's port, and no further can packets be followed";

/** Those on the caller's own bridges and on the exchange. */
async function ownSteps(
  ctx: ServiceContext,
  caller: Principal,
  steps: readonly TraceStep[],
): Promise<TraceStep[]> {
  const visible = await Promise.all(
    steps.map(async ({ vpcId }) => vpcId === null || isOwn(ctx, caller, vpcId)),
  );
  return steps.filter((_, index) => visible[index]);
}

import { type Backend, BackendError, type Outcome, type Plan } from "../backends/backend.js";
import type { FullInterfaces, InterfaceConnections } from "../domain/connections.js";
import type {
  BackendKind,
  Binding,
  BridgeStatus,
  DataPlaneStatus,
  DataPlaneView,
  FenceState,
  PeeringBridgeFlows,
  PortWarning,
  ReconcileReport,
  Reconciling,
  Settlements,
  Waker,
} from "../domain/data-plane.js";
import type { DropSurvey, InterfaceDrops } from "../domain/drops.js";
import type { IntentSlice, PeeringIntent, Scope } from "../domain/intent.js";
import type { Probe, TraceOutcome, Tracing } from "../domain/reachability/trace.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import type { IntentQuotas } from "../store/intent-snapshot.js";
import { BridgeJournal } from "./bridge-journal.js";
import { DirtySet, type Work } from "./dirty-set.js";
import { asCallerError, readForCaller, reportedDiff } from "./for-callers.js";
import { IntentSource } from "./intent-source.js";
import { applyPass, type PassDeps, type PassResult, planPass } from "./pass.js";
import { readAhead } from "./resync.js";
import { Retries } from "./retries.js";
import { SettlementBoard } from "./settlement-board.js";
import { StatusBoard } from "./status-board.js";

export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface ReconcilerOptions {
  readonly db: PrismaClient;
  readonly backend: Backend;
  readonly log: Log;
  readonly clock: () => Date;
  readonly resyncSeconds: number;
  /** The defaults unless told. */
  readonly quotas?: IntentQuotas;
  /** For jitter: a number from 0 to 1. */
  readonly random?: () => number;
}

/** Counted since start, for metrics. */
export interface ReconcilerCounters {
  readonly passes: number;
  readonly failures: number;
  readonly drift: number;
  /** At present: flows of somebody else on our bridges, and bridges that are being watched. */
  readonly foreignFlows: number;
  readonly watchedBridges: number;
  /** Those that could not be looked at when they were to be. */
  readonly unreadBridges: number;
}

export interface Reconciler extends Waker, DataPlaneView, Reconciling, Settlements, Tracing {
  /** Resolves once the first full resync has been tried, or takes too long to wait for. */
  start(): Promise<void>;
  /** Finishes the pass under way and lets every waiting caller go. The switch stays as it is. */
  stop(): Promise<void>;
  counters(): ReconcilerCounters;
  /** Whether this daemon may change the switch. */
  fence(): FenceState;
  /** Why the switch cannot be worked with at present. */
  readonly switchError: string | undefined;
}

export function createReconciler(options: ReconcilerOptions): Reconciler {
  return new LevelTriggeredReconciler(options);
}

/**
 * Makes the switch agree with stored intent and keeps it so. A wake-up says only where to look;
 * every pass computes from what is stored and what is installed. Passes run one after another,
 * and all that became dirty meanwhile goes into the next one.
 */
class LevelTriggeredReconciler implements Reconciler {
  readonly #deps: PassDeps;
  readonly #log: Log;
  readonly #resyncMs: number;
  readonly #dirty = new DirtySet();
  readonly #settlements = new SettlementBoard();
  readonly #board: StatusBoard;
  readonly #journal: BridgeJournal;
  readonly #retries: Retries;
  #resyncTimer: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #scheduled = false;
  #stopped = false;
  #resyncing = false;
  #counters = { passes: 0, failures: 0, drift: 0 };

  constructor(options: ReconcilerOptions) {
    this.#deps = { ...options, intent: new IntentSource(options.db, options.quotas) };
    this.#log = options.log;
    this.#retries = new Retries(options.random ?? Math.random, ({ scope, ...work }) =>
      this.#mark(scope, work),
    );
    this.#resyncMs = options.resyncSeconds * 1000;
    this.#board = new StatusBoard(options.backend);
    const { db, log, backend } = options;
    const exchangeName = () => backend.exchangeName();
    this.#journal = new BridgeJournal({ db, log, exchangeName });
  }

  async start(): Promise<void> {
    await this.#deps.backend.start({
      doubt: (scope) => this.#mark(scope, { fresh: false }),
    });
    this.#mark("all", { fresh: true });
    this.#resyncTimer = setInterval(() => void this.#resync(), this.#resyncMs);
    await this.#firstPass();
  }

  /** Who asks after the start is to see a switch that has been programmed, unless it takes long. */
  async #firstPass(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => {
      timer = setTimeout(resolve, FIRST_PASS_LIMIT_MS);
    });
    await Promise.race([this.#turn, limit]);
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#resyncTimer);
    this.#retries.stop();
    this.#settlements.close();
    await this.#turn;
    await this.#deps.backend.stop();
    await this.#journal.close();
  }

  wake(vpcIds: Iterable<string>): void {
    this.#mark(new Set(vpcIds), { fresh: false });
  }

  async reconcileNow(scope: Scope, dryRun: boolean): Promise<ReconcileReport> {
    try {
      const work: Work = scope === "all" ? await this.#readAhead() : { scope, fresh: true };
      return await this.#inTurn(() =>
        dryRun ? this.#compareOnly(work) : this.#compareAndApply(work),
      );
    } catch (error) {
      // What was found out on request is true for everybody else as well.
      if (error instanceof BackendError) this.#passFailed({ scope, fresh: true }, error);
      throw asCallerError(error);
    }
  }

  /** What could not be looked at is looked at again by a pass, which tells of it in the status. */
  async #compareOnly(work: Work): Promise<ReconcileReport> {
    const { diffs } = await planPass(this.#deps, work);
    if (diffs.some(({ error }) => error !== null)) this.#mark(work.scope, { fresh: false });
    return { applied: false, bridges: diffs.map(reportedDiff) };
  }

  async #compareAndApply(work: Work): Promise<ReconcileReport> {
    const outcome = await this.#planAndApply(work, this.#deps.intent.load(work.scope));
    const bridges = outcome.bridges.map(reportedDiff);
    const hasFailed = outcome.failedVpcs.size > 0 || outcome.exchangeError !== undefined;
    return { applied: !hasFailed && bridges.every(({ error }) => error === null), bridges };
  }

  /** A switch that takes longer to read than the interval is not asked again meanwhile. */
  async #resync(): Promise<void> {
    if (this.#resyncing) return;
    this.#resyncing = true;
    try {
      const { scope, ...work } = await this.#readAhead();
      this.#mark(scope, work);
    } catch (error) {
      this.#passFailed({ scope: "all", fresh: true }, error);
    } finally {
      this.#resyncing = false;
    }
  }

  #readAhead(): Promise<Work> {
    return readAhead({
      backend: this.#deps.backend,
      inTurn: (work) => this.#inTurn(work),
      isStopped: () => this.#stopped,
    });
  }

  #mark(scope: Scope, work: Omit<Work, "scope">): void {
    this.#dirty.mark(scope, work);
    if (this.#scheduled || this.#stopped || this.#dirty.isEmpty) return;
    this.#scheduled = true;
    void this.#inTurn(() => this.#runDirty());
  }

  /** Plans and applications never overlap: each waits for its turn. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #runDirty(): Promise<void> {
    this.#scheduled = false;
    if (this.#stopped || this.#dirty.isEmpty) return;
    const work = this.#dirty.take();
    try {
      await this.#planAndApply(work, this.#deps.intent.loadOrRecall(work.scope));
    } catch (error) {
      this.#passFailed(work, error);
    }
  }

  async #planAndApply(work: Work, intent: Promise<IntentSlice>): Promise<Outcome> {
    this.#counters.passes += 1;
    const plan = await planPass(this.#deps, work, intent);
    this.#journal.noteForeign(plan.diffs);
    this.#journal.noteSettings(plan.diffs);
    this.#noteDrift(plan);
    const { outcome, settled, unsettled } = await this.#apply(plan);
    const resyncedAt = work.fresh ? this.#deps.clock() : undefined;
    this.#board.recordOutcome(plan.intent, outcome, resyncedAt);
    if (work.scope === "all") this.#settlements.announceAll();
    else this.#settlements.announce([...settled, ...work.scope]);
    if (this.#deps.intent.isRecalled(plan.intent)) this.#askAgain(work);
    else this.#noteSuccess(work, outcome);
    this.#retryFailed(outcome.failedVpcs, outcome.exchangeError);
    for (const id of settled) this.#retries.done(id);
    this.#retryUnsettled(unsettled);
    return outcome;
  }

  async #apply(plan: Plan): Promise<PassResult> {
    let result: PassResult | undefined;
    try {
      result = await applyPass(this.#deps, plan);
      return result;
    } finally {
      this.#journal.noteRepair(plan.drift, plan.diffs, result?.outcome);
    }
  }

  #noteDrift({ drift: bridges }: Plan): void {
    const drift = this.#board.recordDrift(bridges);
    if (drift === 0) return;
    this.#counters.drift += drift;
    this.#log.warn({ drift, bridges }, "the switch had drifted from intent; repairing");
  }

  #retryFailed(failed: ReadonlyMap<string, string>, exchangeError: string | undefined): void {
    for (const [vpcId, message] of failed) {
      this.#counters.failures += 1;
      const delayMs = this.#retries.later(vpcId, new Set([vpcId]), { fresh: false });
      this.#log.warn({ vpcId, delayMs, reason: message }, "a VPC is not programmed; trying again");
    }
    if (exchangeError === undefined) return;
    this.#counters.failures += 1;
    const delayMs = this.#retries.later(ALL, "all", { fresh: false });
    this.#log.warn(
      { delayMs, reason: exchangeError },
      "the exchange is not programmed; trying again",
    );
  }

  #retryUnsettled(unsettled: PassResult["unsettled"]): void {
    for (const { id, vpcIds, error } of unsettled) {
      this.#counters.failures += 1;
      const delayMs = this.#retries.later(id, new Set(vpcIds), { fresh: false });
      const message = "the state of a peering could not be stored; trying again";
      this.#log.error({ err: error, vpcPeeringId: id, delayMs }, message);
    }
  }

  /** What is stored may be more than what was remembered; the switch was read if need be. */
  #askAgain({ scope }: Work): void {
    const delayMs = this.#retries.later(ALL, scope, { fresh: false });
    const message = "the database is away; the switch is kept as it was wanted last";
    this.#log.warn({ delayMs }, message);
  }

  #passFailed(work: Work, error: unknown): void {
    this.#counters.failures += 1;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof BackendError) {
      this.#board.switchFailed(message, error.shareable);
    }
    // What was read ahead may be out of date by then.
    const delayMs = this.#retries.later(ALL, work.scope, { fresh: work.fresh });
    this.#log.error({ err: error, delayMs }, "reconciliation failed; trying again");
  }

  #noteSuccess({ scope }: Work, { failedVpcs, exchangeError }: Outcome): void {
    const looked = scope === "all" ? this.#retries.keys() : [...scope];
    for (const id of looked) {
      if (id !== ALL && !failedVpcs.has(id)) this.#retries.done(id);
    }
    if (exchangeError !== undefined) return;
    if (scope === "all") this.#retries.done(ALL);
    else this.#retries.calm(ALL);
  }

  get backend(): BackendKind {
    return this.#deps.backend.kind;
  }

  status(vpcIds: readonly string[], generation: number): DataPlaneStatus {
    return this.#board.status(this.backend, vpcIds, generation, this.outage());
  }

  isMade(vpcId: string): boolean {
    return this.backend === "noop" || this.#board.isMade(vpcId);
  }

  removal(vpcId: string, generation: number): DataPlaneStatus {
    return this.#board.removal(this.backend, vpcId, generation, this.outage());
  }

  binding(networkInterfaceId: string): Binding {
    return this.#deps.backend.binding(networkInterfaceId);
  }

  portWarnings(networkInterfaceId: string): readonly PortWarning[] {
    return this.#deps.backend.portWarnings(networkInterfaceId);
  }

  outage(): string | undefined {
    return this.#deps.backend.outage();
  }

  fence(): FenceState {
    return this.#deps.backend.fence();
  }

  deadPorts(): number {
    return this.#deps.backend.deadPorts();
  }

  bridgeName(vpcNumber: number): string {
    return this.#deps.backend.bridgeName(vpcNumber);
  }

  peeringFlows(peering: PeeringIntent): PeeringBridgeFlows[] {
    return this.#deps.backend.peeringFlows(peering);
  }

  /** Does not wait for its turn: who asks is told what the switch does now. */
  trace(probe: Probe): Promise<TraceOutcome> {
    return this.#deps.backend.trace(probe);
  }

  bridges(): BridgeStatus[] {
    return this.#board.bridges(this.#deps.backend.flowCounts(), this.outage());
  }

  /** Not in turn: reading disturbs nothing, and need not wait for a pass. */
  dropsOf(networkInterfaceId: string): Promise<InterfaceDrops | null> {
    return readForCaller(this.#deps.backend.dropsOf(networkInterfaceId), COUNTERS_TROUBLE);
  }

  surveyDrops(): Promise<DropSurvey | null> {
    return this.#deps.backend.surveyDrops();
  }

  connections(networkInterfaceId: string): Promise<InterfaceConnections | null> {
    return readForCaller(this.#deps.backend.connections(networkInterfaceId), CONNECTIONS_TROUBLE);
  }

  fullInterfaces(): FullInterfaces | null {
    return this.#deps.backend.fullInterfaces();
  }

  counters(): ReconcilerCounters {
    const { foreignFlows } = this.#journal;
    const watchedBridges = this.#deps.backend.watchedBridges();
    const unreadBridges = this.#board.unread;
    return { ...this.#counters, foreignFlows, watchedBridges, unreadBridges };
  }

  get switchError(): string | undefined {
    const fence = this.fence();
    if (fence.kind === "another") return fence.reason;
    return this.#board.switchError ?? this.outage();
  }

  get closed(): boolean {
    return this.#settlements.closed;
  }

  next(id: string, limitMs: number): Promise<void> {
    return this.#settlements.next(id, limitMs);
  }
}

/** Why not is in the log: it tells of the host. */
const COUNTERS_TROUBLE = "The switch cannot be read at present, and only it has the counters.";

const CONNECTIONS_TROUBLE =
  "The switch cannot be read at present, and only it knows how many connections there are.";

const FIRST_PASS_LIMIT_MS = 5000;

/** Key under which failures of whole passes are counted. */
const ALL = "all";

import type { Binding, FenceState, PeeringBridgeFlows } from "../../domain/data-plane.js";
import type { IntentSlice, PeeringIntent } from "../../domain/intent.js";
import type { TraceOutcome } from "../../domain/reachability/trace.js";
import type { FlowDelta } from "../../openflow/delta.js";
import type { Part } from "../../openflow/parts.js";
import type { RenderOptions } from "../../pipeline/render.js";
import type {
  Backend,
  BackendEvents,
  BackendIdentity,
  Outcome,
  Plan,
  PlannedBridge,
} from "../backend.js";
import { compareExchange, compareVpcs } from "../flows/compare.js";
import { isGone } from "../flows/desired.js";
import { InstalledFlows } from "../flows/installed.js";
import { RenderedBridges } from "../flows/rendered.js";
import { describeDelta, describePeering } from "../flows/report.js";
import { SwitchNames } from "../names.js";
import { SymbolicPorts } from "./symbolic-ports.js";

class NoopPlan implements Plan {
  readonly intent: IntentSlice;
  readonly diffs: readonly PlannedBridge[];
  readonly drift = [];
  readonly deltas: ReadonlyMap<string, FlowDelta>;
  readonly desired: ReadonlyMap<string, readonly Part[]>;
  readonly gone: readonly string[];

  constructor(plan: Pick<NoopPlan, "intent" | "diffs" | "deltas" | "desired" | "gone">) {
    this.intent = plan.intent;
    this.diffs = plan.diffs;
    this.deltas = plan.deltas;
    this.desired = plan.desired;
    this.gone = plan.gone;
  }
}

/**
 * Renders the flows of a real switch and records them, with symbolic port numbers. Nothing carries
 * packets, and no interface is ever bound.
 */
export function createNoopBackend(identity: BackendIdentity): Backend {
  return new NoopBackend(identity);
}

class NoopBackend implements Backend {
  readonly kind = "noop";
  readonly #names: SwitchNames;
  readonly #options: RenderOptions;
  readonly #ports = new SymbolicPorts();
  readonly #rendered = new RenderedBridges();
  readonly #recorded = new Map<string, InstalledFlows>();

  constructor({ mark }: BackendIdentity) {
    this.#names = new SwitchNames(mark);
    this.#options = { mark, dropFragments: true, dropsBeyondRoom: false };
  }

  async start(_events: BackendEvents): Promise<void> {}

  async stop(): Promise<void> {}

  async plan(awaited: IntentSlice | Promise<IntentSlice>): Promise<NoopPlan> {
    const intent = await awaited;
    this.#ports.learn(intent);
    const deltas = new Map<string, FlowDelta>();
    const diffs: PlannedBridge[] = [];
    const note = (bridge: string, vpcId: string | null, delta: FlowDelta) => {
      deltas.set(bridge, delta);
      diffs.push(describeDelta(vpcId, bridge, delta));
    };
    const bridgeOf = ({ number }: { number: number }) => this.bridgeName(number);
    const recorded = (vpc: { number: number }) => this.#recorded.get(bridgeOf(vpc));
    const compared = await compareVpcs(
      intent,
      recorded,
      this.#ports,
      this.#options,
      this.#rendered,
    );
    const desired = new Map(compared.map(({ vpc, desired }) => [bridgeOf(vpc), desired]));
    for (const { vpc, delta } of compared) note(bridgeOf(vpc), vpc.id, delta);
    const exchange = this.#record(this.exchangeName());
    const delta = compareExchange(intent, exchange, this.#ports, this.#options);
    note(this.exchangeName(), null, delta);
    const gone = [...this.#ports.known()].filter((vpcId) => isGone(intent, vpcId));
    return new NoopPlan({ intent, diffs, deltas, desired, gone });
  }

  /** What was recorded is all that there is. */
  readings(): [] {
    return [];
  }

  async apply(plan: Plan): Promise<Outcome> {
    if (!(plan instanceof NoopPlan)) throw new TypeError("this plan was made by another backend");
    const { deltas, desired, gone } = plan;
    for (const [bridge, delta] of deltas) this.#record(bridge).follow(delta);
    for (const [bridge, parts] of desired) this.#record(bridge).agreeWith(parts);
    for (const vpcId of gone) this.#forget(vpcId);
    return {
      bridges: plan.diffs,
      failedVpcs: new Map(),
      exchangeError: undefined,
      installedPeerings: idsWhere(plan.intent, ({ admitted }) => admitted),
      removedPeerings: idsWhere(plan.intent, ({ admitted }) => !admitted),
    };
  }

  binding(_networkInterfaceId: string): Binding {
    return { kind: "unbound" };
  }

  portWarnings(_networkInterfaceId: string): [] {
    return [];
  }

  outage(): undefined {
    return undefined;
  }

  standDown(): void {}

  standUp(): void {}

  fence(): FenceState {
    return { kind: "ours" };
  }

  deadPorts(): number {
    return 0;
  }

  bridgeName(vpcNumber: number): string {
    return this.#names.vpcBridge(vpcNumber);
  }

  exchangeName(): string {
    return this.#names.exchange;
  }

  peeringFlows(peering: PeeringIntent): PeeringBridgeFlows[] {
    this.#ports.learnPeering(peering);
    return describePeering(peering, this.#names, this.#ports, this.#options);
  }

  async trace(): Promise<TraceOutcome> {
    return { kind: "untraced", why: "there is no switch: the daemon runs in no-op mode" };
  }

  flowCounts(): ReadonlyMap<string, number> {
    return new Map([...this.#recorded].map(([bridge, flows]) => [bridge, flows.ownCount]));
  }

  /** Without packets there is nothing to count: not even zero of them. */
  async dropsOf(_networkInterfaceId: string): Promise<null> {
    return null;
  }

  async surveyDrops(): Promise<null> {
    return null;
  }

  async connections(_networkInterfaceId: string): Promise<null> {
    return null;
  }

  fullInterfaces(): null {
    return null;
  }

  watchedBridges(): number {
    return 0;
  }

  #record(bridge: string): InstalledFlows {
    const found = this.#recorded.get(bridge) ?? new InstalledFlows(this.#options.mark);
    this.#recorded.set(bridge, found);
    return found;
  }

  #forget(vpcId: string): void {
    const number = this.#ports.numberOf(vpcId);
    if (number !== undefined) this.#recorded.delete(this.bridgeName(number));
    this.#ports.forget(vpcId);
  }
}

function idsWhere({ peerings }: IntentSlice, fits: (peering: PeeringIntent) => boolean): string[] {
  return peerings.filter(fits).map(({ id }) => id);
}

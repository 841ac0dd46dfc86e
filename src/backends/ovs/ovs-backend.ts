import type { FullInterfaces, InterfaceConnections } from "../../domain/connections.js";
import type {
  Binding,
  FenceState,
  PeeringBridgeFlows,
  PortWarning,
} from "../../domain/data-plane.js";
import type { DropSurvey, InterfaceDrops } from "../../domain/drops.js";
import type { IntentSlice, PeeringIntent, Scope } from "../../domain/intent.js";
import type { Probe, TraceOutcome } from "../../domain/reachability/trace.js";
import type { Part } from "../../openflow/parts.js";
import type { RenderOptions } from "../../pipeline/render.js";
import {
  type Backend,
  BackendError,
  type BackendEvents,
  type BackendIdentity,
  type Outcome,
  type Plan,
} from "../backend.js";
import { describePeering } from "../flows/report.js";
import { SwitchNames } from "../names.js";
import { Application } from "./application.js";
import type { BackendLog } from "./backend-log.js";
import { Belief } from "./belief.js";
import type { StageBundle } from "./bundle.js";
import { Conntrack } from "./conntrack.js";
import { ConntrackSettings } from "./ct/conntrack-settings.js";
import { LimitWatch } from "./ct/limit-watch.js";
import type { ConnectionTimeouts } from "./ct/timeouts.js";
import { ZoneTimeouts } from "./ct/zone-timeouts.js";
import { DropCounters } from "./drop-counters.js";
import type { Exec } from "./exec.js";
import { ExecHelper } from "./exec-helper.js";
import { Fence } from "./fence/fence.js";
import { FlowWatch } from "./flow-watch/flow-watch.js";
import { FlowWriter } from "./flow-writer.js";
import { dropsFragments } from "./fragments.js";
import { FROZEN } from "./freeze-watch.js";
import { GroupUsers } from "./group-users.js";
import { HostReach } from "./host-reach.js";
import { InterfaceHomes } from "./interface-homes.js";
import { messageOf } from "./message-of.js";
import { Ofctl } from "./ofctl.js";
import { OvsPlan } from "./ovs-plan.js";
import { reportBridges } from "./plan-report.js";
import { Planner, type PlannerParts } from "./planner.js";
import { bindingOf } from "./ports/binding.js";
import { PortHealth } from "./ports/port-health.js";
import { readings } from "./readings.js";
import { hindrances } from "./settings/hindrances.js";
import { type Connections, SwitchWatch } from "./switch-watch.js";
import type { Topology } from "./topology.js";
import { Tracer } from "./trace/tracer.js";
import { ZoneAllocator } from "./zones.js";

export type { BackendLog } from "./backend-log.js";
export { ovsdbAnswers } from "./ovsdb.js";

export interface OvsBackendOptions {
  /** `unix:PATH`, `tcp:HOST:PORT` or `ssl:HOST:PORT`. */
  readonly ovsdb: string;
  /** Where ovs-vswitchd has its pid file, its control socket and the bridges' sockets. */
  readonly rundir: string;
  readonly datapath: "system" | "netdev";
  readonly identity: BackendIdentity;
  /** Who this daemon is, for the operators of others: see `holderText`. */
  readonly holder: string;
  /** Most connections that the datapath remembers for one interface. */
  readonly connectionsPerInterface: number;
  readonly timeouts: ConnectionTimeouts;
  readonly log: BackendLog;
  /** Asked before each connection to the database of the switch; while it rejects there is none. */
  readonly admit?: (() => Promise<void>) | undefined;
  /** Starts programs; for tests. */
  readonly exec?: Exec;
  /** Stages bundles; for tests. */
  readonly stageBundle?: StageBundle;
}

/** Programs the Open vSwitch of this host. */
export function createOvsBackend(options: OvsBackendOptions): Backend {
  return new OvsBackend(options);
}

const RESTARTED = "Open vSwitch restarted, or was away, since this was planned";

class OvsBackend implements Backend {
  readonly kind = "ovs";
  readonly #parts: PlannerParts;
  readonly #planner: Planner;
  readonly #tracer: Tracer;
  readonly #fence: Fence;
  readonly #helper = new ExecHelper();
  readonly #homes = new InterfaceHomes();
  readonly #groupUsers = new GroupUsers();
  readonly #counts = new Map<string, number>();
  readonly #drops: DropCounters;
  readonly #hostReach: HostReach;
  #doubt: ((scope: Scope) => void) | undefined;

  constructor(options: OvsBackendOptions) {
    const { identity, datapath, rundir, ovsdb, connectionsPerInterface, log } = options;
    const { timeouts: seconds } = options;
    const { installationId, mark } = identity;
    const names = new SwitchNames(mark);
    const belief = new Belief(mark);
    const fence = new Fence({ installationId, holder: options.holder, log });
    const ofctl = new Ofctl(options.exec ?? this.#helper.exec, rundir, fence);
    const { stageBundle } = options;
    const writer = new FlowWriter({ rundir, ofctl, fence, log, stageBundle });
    const flowWatch = new FlowWatch({ rundir, exchange: names.exchange, belief, writer, log });
    const health = new PortHealth({
      settingsOf: (bridge, port) => flowWatch.portSettings(bridge, port),
    });
    const topologyChanged = (topology: Topology) => {
      flowWatch.follow(topology);
      const concerned = health.follow(topology);
      if (concerned.size > 0) this.#doubt?.(concerned);
    };
    const common = { ovsdb, rundir, installationId, names, belief, fence, log };
    const databaseChanged = () => this.#parts.conntrackSettings.databaseChanged();
    const withDependents = (doubtful: Scope) => this.#groupUsers.withUsers(doubtful);
    const begun = (pid: number) => health.begin(pid);
    const { admit = async () => undefined } = options;
    const hooks = { withDependents, topologyChanged, databaseChanged, begun, admit };
    const watch = new SwitchWatch({ ...common, ...hooks });
    const { exchange } = names;
    const connectionsPerZone = connectionsPerInterface;
    const conntrack = new Conntrack({ datapath, connectionsPerZone, fence, log });
    const limits = new LimitWatch({ watch, belief, conntrack, log });
    const ofTimeouts = { datapath, installationId, timeouts: seconds, exchange, log };
    const timeouts = new ZoneTimeouts(ofTimeouts);
    const renderOptions = (): RenderOptions => ({
      mark,
      dropFragments: dropsFragments(datapath, watch.version),
      dropsBeyondRoom: datapath === "system",
    });
    this.#fence = fence;
    this.#parts = {
      watch,
      belief,
      names,
      renderOptions,
      ofctl,
      flowWatch,
      health,
      infrastructure: { identity, names, datapath },
      conntrack,
      zones: new ZoneAllocator(),
      timeouts,
      conntrackSettings: new ConntrackSettings({
        watch,
        conntrack,
        limits,
        timeouts,
        homes: this.#homes,
        exchange,
      }),
      log,
    };
    this.#planner = new Planner(this.#parts);
    this.#drops = new DropCounters({ watch, ofctl, homes: this.#homes, mark, log });
    this.#tracer = new Tracer(watch, names, log);
    this.#hostReach = new HostReach({ ovsdb });
  }

  async start(events: BackendEvents): Promise<void> {
    this.#helper.start();
    const doubt = (scope: Scope) => {
      if (this.#fence.state.kind !== "another") events.doubt(scope);
    };
    this.#doubt = doubt;
    this.#parts.flowWatch.start(doubt);
    this.#parts.conntrackSettings.start(doubt);
    this.#parts.watch.start(events);
  }

  async stop(): Promise<void> {
    this.#doubt = undefined;
    this.#parts.watch.stop();
    this.#parts.flowWatch.stop();
    this.#parts.conntrackSettings.stop();
    this.#helper.stop();
  }

  async plan(
    awaited: IntentSlice | Promise<IntentSlice>,
    { fresh }: { readonly fresh: boolean },
  ): Promise<OvsPlan> {
    const { belief, watch } = this.#parts;
    // Port numbers are those of this epoch, also when the switch restarts while intent is read.
    const ready = watch.ready().then(() => belief.epoch);
    // Whatever fails: nobody else may begin while the port numbers are being refreshed.
    const [loaded, reached] = await Promise.allSettled([awaited, ready]);
    if (loaded.status === "rejected") throw loaded.reason;
    const intent = loaded.value;
    // Also for who only looks: what is plugged in can be told without the switch.
    this.#homes.learn(intent);
    this.#groupUsers.learn(intent);
    if (reached.status === "rejected") throw reached.reason;
    try {
      return await this.#planner.plan(intent, fresh, reached.value);
    } catch (error) {
      if (error instanceof BackendError) throw error;
      const trouble = `the switch cannot be compared with intent: ${messageOf(error)}`;
      throw new BackendError(trouble, { cause: error });
    }
  }

  readings(): Array<() => Promise<void>> {
    return readings(this.#parts);
  }

  async apply(plan: Plan): Promise<Outcome> {
    if (!(plan instanceof OvsPlan)) throw new TypeError("this plan was made by another backend");
    this.#parts.belief.actedUpon(plan.surprises);
    const { names, belief, conntrackSettings } = this.#parts;
    conntrackSettings.told(plan.conntrackNews);
    const connections = await this.#connections();
    if (typeof connections === "string") return allFailed(plan, connections, names);
    if (belief.epoch !== plan.epoch) return allFailed(plan, RESTARTED, names);
    const outcome = await this.#carryOut(plan, connections);
    if (belief.epoch !== plan.epoch) return allFailed(plan, RESTARTED, names);
    this.#count(plan);
    return outcome;
  }

  binding(networkInterfaceId: string): Binding {
    const home = this.#homes.of(networkInterfaceId);
    const { watch, health } = this.#parts;
    const binding = bindingOf(watch.topology, networkInterfaceId, home, health);
    const hindrance = hindrances(watch.topology).get(networkInterfaceId);
    return binding.kind === "bound" && hindrance !== undefined
      ? { ...binding, hindrance }
      : binding;
  }

  outage(): string | undefined {
    return this.#parts.watch.isFrozen ? FROZEN : undefined;
  }

  standDown(): void {
    this.#parts.watch.stand(false);
  }

  standUp(): void {
    this.#parts.watch.stand(true);
  }

  fence(): FenceState {
    return this.#fence.state;
  }

  deadPorts(): number {
    return this.#parts.health.deadPorts;
  }

  portWarnings(networkInterfaceId: string): readonly PortWarning[] {
    const home = this.#homes.of(networkInterfaceId);
    return this.#hostReach.warnings(this.#parts.watch.topology, networkInterfaceId, home);
  }

  bridgeName(vpcNumber: number): string {
    return this.#parts.names.vpcBridge(vpcNumber);
  }

  exchangeName(): string {
    return this.#parts.names.exchange;
  }

  peeringFlows(peering: PeeringIntent): PeeringBridgeFlows[] {
    const { names, watch } = this.#parts;
    return describePeering(peering, names, watch.topology, this.#parts.renderOptions());
  }

  trace(probe: Probe): Promise<TraceOutcome> {
    return this.#tracer.trace(probe);
  }

  flowCounts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  dropsOf(networkInterfaceId: string): Promise<InterfaceDrops | null> {
    return this.#drops.of(networkInterfaceId);
  }

  surveyDrops(): Promise<DropSurvey> {
    return this.#drops.survey();
  }

  connections(networkInterfaceId: string): Promise<InterfaceConnections | null> {
    return this.#parts.conntrackSettings.connections(networkInterfaceId);
  }

  fullInterfaces(): FullInterfaces | null {
    return this.#parts.conntrackSettings.fullInterfaces();
  }

  watchedBridges(): number {
    return this.#parts.flowWatch.watching;
  }

  /** Bridges are read again on the way: a switch that cannot be read by then is an outcome too. */
  async #carryOut(plan: OvsPlan, connections: Connections): Promise<Outcome> {
    try {
      return await new Application(plan, this.#parts, this.#planner, connections).run();
    } catch (error) {
      if (error instanceof BackendError) return allFailed(plan, error.message, this.#parts.names);
      throw error;
    }
  }

  /** The connections, or why a plan cannot be carried out. */
  async #connections(): Promise<Connections | string> {
    try {
      return await this.#parts.watch.connections();
    } catch (error) {
      if (error instanceof BackendError) return error.message;
      throw error;
    }
  }

  #count({ infrastructure, flows }: OvsPlan): void {
    const { belief, names } = this.#parts;
    for (const { row } of infrastructure.goneBridges) this.#counts.delete(row.name);
    for (const { vpc, desired } of flows.vpcs) {
      const bridge = names.vpcBridge(vpc.number);
      this.#counts.set(bridge, belief.of(bridge)?.ownCount ?? countFlows(desired));
    }
    const exchange = belief.of(names.exchange);
    if (exchange !== undefined) this.#counts.set(names.exchange, exchange.ownCount);
  }
}

function countFlows(parts: readonly Part[]): number {
  return parts.reduce((count, { flows }) => count + flows.length, 0);
}

function allFailed(plan: OvsPlan, reason: string, names: SwitchNames): Outcome {
  const failedVpcs = new Map([...plan.intent.vpcs.keys()].map((id) => [id, reason]));
  const failures = new Map(plan.diffs.map(({ bridge }) => [bridge, reason]));
  const bridges = reportBridges(plan, names, failures);
  const nothing = { installedPeerings: [], removedPeerings: [] };
  return { bridges, failedVpcs, exchangeError: reason, ...nothing };
}

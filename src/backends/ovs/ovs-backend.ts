import type { Binding, PeeringBridgeFlows } from "../../domain/data-plane.js";
import type { IntentSlice, PeeringIntent } from "../../domain/intent.js";
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
import { Belief } from "./belief.js";
import type { Exec } from "./exec.js";
import { ExecHelper } from "./exec-helper.js";
import { dropsFragments } from "./fragments.js";
import { InterfaceHomes } from "./interface-homes.js";
import { Ofctl } from "./ofctl.js";
import { OvsPlan } from "./ovs-plan.js";
import { Planner, type PlannerParts } from "./planner.js";
import { type BackendLog, type Connections, SwitchWatch } from "./switch-watch.js";

export { ovsdbAnswers } from "./ovsdb.js";
export type { BackendLog } from "./switch-watch.js";

export interface OvsBackendOptions {
  /** `unix:PATH`, `tcp:HOST:PORT` or `ssl:HOST:PORT`. */
  readonly ovsdb: string;
  /** Where ovs-vswitchd has its pid file, its control socket and the bridges' sockets. */
  readonly rundir: string;
  readonly datapath: "system" | "netdev";
  readonly identity: BackendIdentity;
  readonly log: BackendLog;
  /** Starts programs; for tests. */
  readonly exec?: Exec;
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
  readonly #helper = new ExecHelper();
  readonly #homes = new InterfaceHomes();
  readonly #counts = new Map<string, number>();

  constructor({ identity, datapath, rundir, ovsdb, log, exec }: OvsBackendOptions) {
    const { installationId, mark } = identity;
    const names = new SwitchNames(mark);
    const belief = new Belief(mark);
    const watch = new SwitchWatch({ ovsdb, rundir, installationId, names, belief, log });
    const renderOptions = (): RenderOptions => ({
      mark,
      dropFragments: dropsFragments(datapath, watch.version),
    });
    this.#parts = {
      watch,
      belief,
      names,
      renderOptions,
      ofctl: new Ofctl(exec ?? this.#helper.exec, rundir),
      infrastructure: { identity, names, datapath },
    };
    this.#planner = new Planner(this.#parts);
  }

  async start(events: BackendEvents): Promise<void> {
    this.#helper.start();
    this.#parts.watch.start(events);
  }

  async stop(): Promise<void> {
    this.#parts.watch.stop();
    this.#helper.stop();
  }

  async plan(intent: IntentSlice, { fresh }: { readonly fresh: boolean }): Promise<OvsPlan> {
    await this.#parts.watch.ready();
    this.#homes.learn(intent);
    return this.#planner.plan(intent, fresh);
  }

  async apply(plan: Plan): Promise<Outcome> {
    if (!(plan instanceof OvsPlan)) throw new TypeError("this plan was made by another backend");
    const connections = await this.#connections();
    if (typeof connections === "string") return allFailed(plan, connections);
    if (this.#parts.belief.epoch !== plan.epoch) return allFailed(plan, RESTARTED);
    const outcome = await new Application(plan, this.#parts, this.#planner, connections).run();
    if (this.#parts.belief.epoch !== plan.epoch) return allFailed(plan, RESTARTED);
    this.#count(plan);
    return outcome;
  }

  binding(networkInterfaceId: string): Binding {
    const home = this.#homes.of(networkInterfaceId);
    return this.#parts.watch.topology.binding(networkInterfaceId, home);
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

  flowCounts(): ReadonlyMap<string, number> {
    return this.#counts;
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
    for (const { vpc, desiredCount } of flows.vpcs) {
      const bridge = names.vpcBridge(vpc.number);
      this.#counts.set(bridge, belief.of(bridge)?.ownCount ?? desiredCount);
    }
    const exchange = belief.of(names.exchange);
    if (exchange !== undefined) this.#counts.set(names.exchange, exchange.ownCount);
  }
}

function allFailed({ intent }: OvsPlan, reason: string): Outcome {
  const failedVpcs = new Map([...intent.vpcs.keys()].map((id) => [id, reason]));
  return { failedVpcs, exchangeError: reason, installedPeerings: [], removedPeerings: [] };
}

import pLimit from "p-limit";
import type { PeeringIntent } from "../../domain/intent.js";
import { type FlowDelta, isSettled } from "../../openflow/delta.js";
import type { Outcome } from "../backend.js";
import type { VpcComparison } from "../flows/compare.js";
import { sidesOf } from "../flows/desired.js";
import { type SideKnowledge, splitAdmission } from "./admission.js";
import { configure } from "./configure.js";
import { confirmDatapath } from "./datapath.js";
import { bridgeTrouble, uplinkTrouble } from "./health.js";
import type { BridgeWork } from "./infrastructure.js";
import { creationOperations, removalOperations } from "./infrastructure-operations.js";
import { BRIDGES_AT_ONCE, isHopeless, troubleWith } from "./observe.js";
import type { FlowComparison, OvsPlan } from "./ovs-plan.js";
import type { Planner, PlannerParts } from "./planner.js";
import { settledPeerings } from "./settled-peerings.js";
import type { Connections } from "./switch-watch.js";

/**
 * Carries one plan out. The exchange is cut first and opened last, so that at no moment a packet
 * passes between VPCs whose own bridges do not expect it.
 */
export class Application {
  readonly #plan: OvsPlan;
  readonly #parts: PlannerParts;
  readonly #planner: Planner;
  readonly #connections: Connections;
  readonly #failedVpcs = new Map<string, string>();
  /** VPCs whose own bridge is in order, but not that of a peer. */
  readonly #waiting = new Map<string, string>();
  #exchangeError: string | undefined;
  /** Why no bundle will succeed any more. */
  #hopeless: string | undefined;

  constructor(plan: OvsPlan, parts: PlannerParts, planner: Planner, connections: Connections) {
    this.#plan = plan;
    this.#parts = parts;
    this.#planner = planner;
    this.#connections = connections;
  }

  async run(): Promise<Outcome> {
    const flows = await this.#prepareBridges();
    this.#checkBridges(flows);
    await this.#cut(flows);
    await this.#admit(flows, this.#programVpcs(flows));
    const confirmed = await this.#confirm();
    await this.#removeGone();
    return this.#outcome(confirmed);
  }

  /** Makes and repairs bridges and ports; then flows are compared anew, with the new ports. */
  async #prepareBridges(): Promise<FlowComparison> {
    const { intent, infrastructure, flows } = this.#plan;
    const { work, clashes, exchangeClash } = infrastructure;
    for (const [vpcId, clash] of clashes) this.#fail(vpcId, clash);
    this.#exchangeError = exchangeClash;
    if (work.length === 0) return flows;
    try {
      await this.#configure(creationOperations(work));
      this.#believeInNewBridges(work);
      return await this.#planner.compareFlows(intent, false);
    } catch (error) {
      this.#failWork(work, messageOf(error));
      return flows;
    }
  }

  /** A bridge that was just made is empty; it need not be read. */
  #believeInNewBridges(work: readonly BridgeWork[]): void {
    const { watch, belief } = this.#parts;
    for (const { existing, wanted } of work) {
      const works = bridgeTrouble(watch.topology, wanted.name) === undefined;
      if (existing === undefined && works) belief.set(wanted.name, []);
    }
  }

  #failWork(work: readonly BridgeWork[], message: string): void {
    for (const { wanted, missingPorts, wrongPorts } of work) {
      const ports = [...missingPorts, ...wrongPorts.map((port) => port.wanted)];
      for (const { vpcId } of [wanted, ...ports]) {
        if (vpcId === undefined) this.#exchangeError ??= message;
        else this.#fail(vpcId, message);
      }
    }
  }

  #checkBridges({ troubles }: FlowComparison): void {
    const { watch, names } = this.#parts;
    for (const { id, number } of this.#plan.intent.vpcs.values()) {
      const bridge = names.vpcBridge(number);
      const trouble =
        bridgeTrouble(watch.topology, bridge) ??
        troubles.get(bridge) ??
        uplinkTrouble(watch.topology, number, names);
      if (trouble !== undefined) this.#fail(id, trouble);
    }
    const { exchange } = names;
    this.#exchangeError ??= bridgeTrouble(watch.topology, exchange) ?? troubles.get(exchange);
  }

  async #cut({ exchange }: FlowComparison): Promise<void> {
    if (exchange === undefined) return;
    const removals = { ...exchange, missing: [], changed: [] };
    if (!isSettled(removals)) await this.#changeExchange(removals);
  }

  async #programVpcs({ vpcs }: FlowComparison): Promise<void> {
    const limit = pLimit(BRIDGES_AT_ONCE);
    await Promise.all(vpcs.map((comparison) => limit(() => this.#programVpc(comparison))));
  }

  async #programVpc({ vpc, delta }: VpcComparison): Promise<void> {
    const bridge = this.#parts.names.vpcBridge(vpc.number);
    if (bridgeTrouble(this.#parts.watch.topology, bridge) !== undefined) return;
    if (isSettled(delta)) return;
    const trouble = await this.#carryOut(bridge, delta);
    if (trouble !== undefined) this.#fail(vpc.id, trouble);
  }

  /** Adds to the exchange what may be added once the bridges of the VPCs are ready. */
  async #admit({ exchange }: FlowComparison, vpcsProgrammed: Promise<void>): Promise<void> {
    const additions = vpcsProgrammed.then(() => this.#additionsTo(exchange));
    if (this.#plan.intent.vpcs.size > SOON_PROGRAMMED) await additions;
    if (exchange !== undefined && lacksFlows(exchange)) await this.#changeExchange(additions);
    await additions;
  }

  #additionsTo(exchange: FlowDelta | undefined): FlowDelta {
    if (exchange === undefined) return NOTHING;
    const { additions, withheld } = splitAdmission(exchange, this.#known());
    for (const peering of withheld) this.#noteWithheld(peering);
    return additions;
  }

  /** A side in scope that failed has said why; one out of scope has nobody else to speak for it. */
  #noteWithheld(peering: PeeringIntent): void {
    const { vpcs } = this.#plan.intent;
    const [a, b] = sidesOf(peering).map(({ vpcId }) => vpcId);
    if (a === undefined || b === undefined || (vpcs.has(a) && vpcs.has(b))) return;
    const reason = `peering ${peering.id} waits for the bridge of its other VPC`;
    this.#waiting.set(vpcs.has(a) ? a : b, reason);
  }

  async #changeExchange(delta: FlowDelta | Promise<FlowDelta>): Promise<void> {
    if (this.#exchangeError !== undefined) return;
    this.#exchangeError = await this.#carryOut(this.#parts.names.exchange, delta);
  }

  /** @returns what went wrong; then nothing is believed of the bridge any more */
  async #carryOut(
    bridge: string,
    delta: FlowDelta | Promise<FlowDelta>,
  ): Promise<string | undefined> {
    if (this.#hopeless !== undefined) return this.#hopeless;
    const { belief, ofctl } = this.#parts;
    const installed = belief.of(bridge);
    belief.bundleSent();
    try {
      await ofctl.carryOut(bridge, delta);
    } catch (error) {
      belief.forget(bridge);
      if (isHopeless(error)) this.#hopeless = error.message;
      return troubleWith(bridge, error);
    }
    if (installed === undefined || belief.of(bridge) !== installed) {
      return `bridge ${bridge} was made anew while it was being programmed`;
    }
    installed.follow(await delta);
    return undefined;
  }

  /** @returns whether no packet is forwarded any more by flows that are gone */
  async #confirm(): Promise<boolean> {
    const { belief, names } = this.#parts;
    if (!belief.unconfirmed) return true;
    try {
      await confirmDatapath(this.#connections.unixctl, names.exchange);
      belief.datapathConfirmed();
      return true;
    } catch (error) {
      this.#exchangeError ??= `the datapath did not confirm the change: ${messageOf(error)}`;
      return false;
    }
  }

  /** Only once the exchange has no flow left that names their ports: numbers are used again. */
  async #removeGone(): Promise<void> {
    const { infrastructure } = this.#plan;
    const { goneBridges, gonePorts } = infrastructure;
    const { belief, watch, names } = this.#parts;
    const exchange = watch.topology.bridges.get(names.exchange)?.row.uuid;
    const operations = removalOperations(infrastructure, exchange);
    if (operations.length === 0) return;
    try {
      if (this.#exchangeError !== undefined) throw new Error(this.#exchangeError);
      await this.#configure(operations);
      for (const { row } of goneBridges) belief.forget(row.name);
    } catch (error) {
      for (const { vpcId } of [...goneBridges, ...gonePorts]) {
        if (vpcId !== undefined) this.#fail(vpcId, `not removed yet: ${messageOf(error)}`);
      }
    }
  }

  async #configure(operations: ReturnType<typeof creationOperations>): Promise<void> {
    const { scope } = this.#plan.intent;
    const { ovsdb } = this.#connections;
    await this.#parts.watch.expecting(scope, () => configure(ovsdb, operations));
  }

  #outcome(confirmed: boolean): Outcome {
    const trusted = confirmed && this.#exchangeError === undefined;
    const settled = trusted
      ? settledPeerings(this.#known(), this.#parts.watch.topology)
      : { installedPeerings: [], removedPeerings: [] };
    const failedVpcs = new Map([...this.#waiting, ...this.#failedVpcs]);
    return { failedVpcs, exchangeError: this.#exchangeError, ...settled };
  }

  #known(): SideKnowledge {
    const { belief, names, watch } = this.#parts;
    const options = this.#parts.renderOptions();
    const ports = watch.topology;
    return {
      slice: this.#plan.intent,
      failedVpcs: this.#failedVpcs,
      belief,
      names,
      ports,
      options,
    };
  }

  /** The first reason is the cause; what follows from it explains nothing. */
  #fail(vpcId: string, reason: string): void {
    if (!this.#failedVpcs.has(vpcId)) this.#failedVpcs.set(vpcId, reason);
  }
}

/** A program that waits for its input gives up after a while; many bridges take their time. */
const SOON_PROGRAMMED = 16;

const NOTHING: FlowDelta = { missing: [], changed: [], unexpected: [], foreign: [] };

function lacksFlows({ missing, changed }: FlowDelta): boolean {
  return missing.length + changed.length > 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import pLimit from "p-limit";
import type { PeeringIntent, Scope } from "../../domain/intent.js";
import { type FlowDelta, isSettled } from "../../openflow/delta.js";
import type { Outcome, PlannedBridge } from "../backend.js";
import type { VpcComparison } from "../flows/compare.js";
import { sidesOf } from "../flows/desired.js";
import { admissions, revocations, type SideKnowledge, splitAdmission } from "./admission.js";
import type { StagedChange } from "./bundle.js";
import { partForChangeover } from "./changeover.js";
import { configure } from "./configure.js";
import { confirmDatapath } from "./datapath.js";
import { EarlyStaging } from "./early-staging.js";
import { FROZEN } from "./freeze-watch.js";
import { bridgeTrouble, uplinkTrouble } from "./health.js";
import { type BridgeWork, planInfrastructure } from "./infrastructure.js";
import { creationOperations, removalOperations } from "./infrastructure-operations.js";
import { messageOf } from "./message-of.js";
import { BRIDGES_AT_ONCE, isHopeless, troubleWith } from "./observe.js";
import type { FlowComparison, OvsPlan } from "./ovs-plan.js";
import type { Operation } from "./ovsdb.js";
import { reportBridges } from "./plan-report.js";
import type { Planner, PlannerParts } from "./planner.js";
import { PortRepairs } from "./ports/port-repairs.js";
import { settledPeerings } from "./settled-peerings.js";
import type { Connections } from "./switch-watch.js";
import { ZoneWork } from "./zone-work.js";

/**
 * Carries one plan out. The exchange is cut first and opened last, so that at no moment a packet
 * passes between VPCs whose own bridges do not expect it.
 */
export class Application {
  readonly #plan: OvsPlan;
  readonly #parts: PlannerParts;
  readonly #planner: Planner;
  readonly #connections: Connections;
  readonly #zones: ZoneWork;
  readonly #failedVpcs = new Map<string, string>();
  /** VPCs whose own bridge is in order, but not that of a peer. */
  readonly #waiting = new Map<string, string>();
  /** Removes what bridges still have of another layout, for packets that are on their way. */
  readonly #changingOver: (() => Promise<boolean>)[] = [];
  #exchangeError: string | undefined;
  /** Why no bundle will succeed any more. */
  #hopeless: string | undefined;

  constructor(plan: OvsPlan, parts: PlannerParts, planner: Planner, connections: Connections) {
    this.#plan = plan;
    this.#parts = parts;
    this.#planner = planner;
    this.#connections = connections;
    this.#zones = new ZoneWork({
      intent: plan.intent,
      parts,
      connections,
      configure: (operations, scope) => this.#configure(operations, scope),
      fail: (vpcId, reason) => this.#fail(vpcId, reason),
    });
  }

  async run(): Promise<Outcome> {
    const flows = await this.#prepareBridges();
    this.#checkBridges(flows);
    await this.#cut(flows);
    await this.#programAndAdmit(flows);
    const confirmed = await this.#confirm();
    if (confirmed) {
      await this.#finishChangeover();
      await this.#zones.retire();
    }
    await this.#removeGone();
    return this.#outcome(flows, confirmed);
  }

  /** Makes and repairs bridges and ports; then flows are compared anew, with the new ports. */
  async #prepareBridges(): Promise<FlowComparison> {
    const { intent, infrastructure, flows } = this.#plan;
    const { work, clashes, exchangeClash } = infrastructure;
    for (const [vpcId, clash] of clashes) this.#fail(vpcId, clash);
    this.#exchangeError = exchangeClash;
    const built = work.length > 0 && (await this.#build(work));
    const reopened = await this.#repairPorts();
    const granted = await this.#zones.grant();
    if (!built && !reopened && !granted) return flows;
    if (work.length === 0 || built) this.#failIfChanged();
    return await this.#planner.compareFlows(intent, false);
  }

  /** Others' changes to bridges and ports raise no doubt while our own are made. */
  #failIfChanged(): void {
    const { intent } = this.#plan;
    const { watch, infrastructure } = this.#parts;
    const { work } = planInfrastructure(intent, watch.topology, infrastructure);
    this.#failWork(work, "bridges or ports were changed while they were being set up");
  }

  /** @returns whether bridges and ports are now as they should be */
  async #build(work: readonly BridgeWork[]): Promise<boolean> {
    try {
      await this.#configure(creationOperations(work), this.#plan.intent.scope);
      this.#believeInNewBridges(work);
      return true;
    } catch (error) {
      this.#failWork(work, messageOf(error));
      return false;
    }
  }

  /** @returns whether ports have got other numbers */
  async #repairPorts(): Promise<boolean> {
    const { intent } = this.#plan;
    const change = (operations: readonly Operation[]) => this.#configure(operations, intent.scope);
    const repairs = new PortRepairs(this.#parts, this.#connections.ovsdb, change);
    const { troubles, reopened } = await repairs.carryOut(intent);
    for (const [vpcId, trouble] of troubles) this.#fail(vpcId, trouble);
    return reopened;
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
    for (const item of work) {
      const ports = [...item.missingPorts, ...item.wrongPorts.map((port) => port.wanted)];
      // The exchange works without the port of one VPC; it is that VPC that does not.
      const isWrong = item.wrongSettings || item.corrections.length > 0;
      const itself = item.existing === undefined || isWrong ? [item.wanted] : [];
      const concerned = item.wanted.vpcId === undefined ? itself : [item.wanted];
      for (const { vpcId } of [...concerned, ...ports]) {
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
    const removals = revocations(exchange, this.#plan.intent);
    if (!isSettled(removals)) await this.#changeExchange(removals);
  }

  async #programAndAdmit(flows: FlowComparison): Promise<void> {
    const early = this.#stageAdmissions(flows);
    try {
      await this.#programVpcs(flows);
      await this.#admit(flows, early);
    } finally {
      early?.discard();
    }
  }

  /** The exchange will hardly ever get anything else; and staged it need only be committed. */
  #stageAdmissions({ exchange }: FlowComparison): EarlyStaging | undefined {
    const { intent } = this.#plan;
    const isSoon = intent.vpcs.size <= SOON_PROGRAMMED && this.#exchangeError === undefined;
    if (exchange === undefined || !isSoon) return undefined;
    const likely = admissions(exchange, intent);
    if (isSettled(likely)) return undefined;
    return new EarlyStaging(likely, this.#stage(this.#parts.names.exchange, likely));
  }

  async #programVpcs({ vpcs }: FlowComparison): Promise<void> {
    const limit = pLimit(BRIDGES_AT_ONCE);
    await Promise.all(vpcs.map((comparison) => limit(() => this.#programVpc(comparison))));
  }

  async #programVpc(comparison: VpcComparison): Promise<void> {
    const { names, watch, belief } = this.#parts;
    const { vpc, delta, desired } = comparison;
    const bridge = names.vpcBridge(vpc.number);
    const trouble = bridgeTrouble(watch.topology, bridge);
    if (trouble !== undefined) return this.#fail(vpc.id, trouble);
    const { first, rest } = partForChangeover(delta);
    if (!(await this.#changeVpc(vpc.id, bridge, first))) return;
    if (isSettled(rest)) belief.of(bridge)?.agreeWith(desired);
    else this.#changingOver.push(() => this.#changeVpc(vpc.id, bridge, rest));
  }

  async #changeVpc(vpcId: string, bridge: string, delta: FlowDelta): Promise<boolean> {
    const trouble = isSettled(delta) ? undefined : await this.#carryOut(bridge, delta);
    if (trouble !== undefined) this.#fail(vpcId, trouble);
    return trouble === undefined;
  }

  /** By now no packet is among the flows of another layout any more. */
  async #finishChangeover(): Promise<void> {
    const limit = pLimit(BRIDGES_AT_ONCE);
    await Promise.all(this.#changingOver.map((finish) => limit(finish)));
  }

  /** Adds to the exchange what may be added now that the bridges of the VPCs are ready. */
  async #admit({ exchange }: FlowComparison, early: EarlyStaging | undefined): Promise<void> {
    if (exchange === undefined) return;
    const { additions, withheld } = splitAdmission(exchange, this.#known());
    for (const peering of withheld) this.#noteWithheld(peering);
    if (!isSettled(additions)) await this.#changeExchange(additions, early?.take(additions));
  }

  /** A side in scope that failed has said why; one out of scope has nobody else to speak for it. */
  #noteWithheld(peering: PeeringIntent): void {
    const { vpcs } = this.#plan.intent;
    const [a, b] = sidesOf(peering).map(({ vpcId }) => vpcId);
    if (a === undefined || b === undefined || (vpcs.has(a) && vpcs.has(b))) return;
    const reason = `peering ${peering.id} waits for the bridge of its other VPC`;
    this.#waiting.set(vpcs.has(a) ? a : b, reason);
  }

  async #changeExchange(delta: FlowDelta, staged?: Promise<StagedChange>): Promise<void> {
    if (this.#exchangeError !== undefined) return;
    this.#exchangeError = await this.#carryOut(this.#parts.names.exchange, delta, staged);
  }

  #stage(bridge: string, delta: FlowDelta): Promise<StagedChange> {
    return this.#parts.flowWatch.stage(bridge, delta);
  }

  /** @returns what went wrong; then nothing is believed of the bridge any more */
  async #carryOut(
    bridge: string,
    delta: FlowDelta,
    early?: Promise<StagedChange>,
  ): Promise<string | undefined> {
    if (this.#hopeless !== undefined) return this.#hopeless;
    const { belief } = this.#parts;
    const installed = belief.of(bridge);
    belief.bundleSent();
    try {
      const staged = await (early ?? this.#stage(bridge, delta));
      await staged.commit();
    } catch (error) {
      belief.forget(bridge);
      if (isHopeless(error)) this.#hopeless = error.message;
      return troubleWith(bridge, error);
    }
    if (installed === undefined || belief.of(bridge) !== installed) {
      return `bridge ${bridge} was made anew while it was being programmed`;
    }
    installed.follow(delta);
    return undefined;
  }

  /** @returns whether no packet is forwarded any more by flows that are gone */
  async #confirm(): Promise<boolean> {
    const { belief, names, watch } = this.#parts;
    try {
      // One that waits for flows to be restored would keep us waiting too.
      if (await watch.checkFrozen(this.#connections.unixctl)) throw new Error(FROZEN);
      if (!belief.unconfirmed) return true;
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
    const gone = [...goneBridges, ...gonePorts].flatMap(({ vpcId }) => vpcId ?? []);
    try {
      if (this.#exchangeError !== undefined) throw new Error(this.#exchangeError);
      // Flows are in place by now: whoever else changes now is looked at in the next pass.
      await this.#configure(operations, new Set(gone));
      for (const { row } of goneBridges) belief.forget(row.name);
    } catch (error) {
      for (const vpcId of gone) this.#fail(vpcId, `not removed yet: ${messageOf(error)}`);
    }
  }

  /** @param expected the VPCs that are looked at afterwards: changes to these raise no doubt */
  async #configure(operations: readonly Operation[], expected: Scope): Promise<void> {
    const { ovsdb } = this.#connections;
    await this.#parts.watch.expecting(expected, () => configure(ovsdb, operations));
  }

  /** @param flows what was compared last: it is that which was carried out */
  #outcome(flows: FlowComparison, confirmed: boolean): Outcome {
    const trusted = confirmed && this.#exchangeError === undefined;
    const settled = trusted
      ? settledPeerings(this.#known(), this.#parts.watch.topology)
      : { installedPeerings: [], removedPeerings: [] };
    const failedVpcs = new Map([...this.#waiting, ...this.#failedVpcs]);
    const bridges = this.#report(flows, failedVpcs);
    return { bridges, failedVpcs, exchangeError: this.#exchangeError, ...settled };
  }

  #report(flows: FlowComparison, failedVpcs: ReadonlyMap<string, string>): PlannedBridge[] {
    const { intent } = this.#plan;
    const { names } = this.#parts;
    const failures = new Map<string, string>();
    const note = (bridge: string, reason: string | undefined) => {
      if (reason !== undefined) failures.set(bridge, reason);
    };
    for (const { id, number } of intent.vpcs.values()) {
      note(names.vpcBridge(number), failedVpcs.get(id));
    }
    for (const { view } of this.#plan.gone) note(view.row.name, failedVpcs.get(view.vpcId ?? ""));
    note(names.exchange, this.#exchangeError ?? this.#zones.timeoutsError);
    return reportBridges({ ...this.#plan, flows }, names, failures);
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

/** The switch forgets what is staged and not committed for 10 s. */
const SOON_PROGRAMMED = 16;

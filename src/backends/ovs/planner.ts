import type { IntentSlice, VpcIntent } from "../../domain/intent.js";
import { ownsCookie } from "../../openflow/cookie.js";
import { diffFlows } from "../../openflow/delta.js";
import type { RenderOptions } from "../../pipeline/render.js";
import { compareExchange, compareVpcs } from "../flows/compare.js";
import { InstalledFlows } from "../flows/installed.js";
import { RenderedBridges } from "../flows/rendered.js";
import type { SwitchNames } from "../names.js";
import type { BackendLog } from "./backend-log.js";
import type { Belief, Surprise } from "./belief.js";
import type { Conntrack } from "./conntrack.js";
import type { ConntrackSettings } from "./ct/conntrack-settings.js";
import type { ZoneTimeouts } from "./ct/zone-timeouts.js";
import type { FlowWatch } from "./flow-watch/flow-watch.js";
import {
  type Infrastructure,
  type InfrastructureOptions,
  planInfrastructure,
} from "./infrastructure.js";
import { observe } from "./observe.js";
import type { Ofctl } from "./ofctl.js";
import { type FlowComparison, type GoneBridge, OvsPlan } from "./ovs-plan.js";
import { reportBridges, settingsDrift } from "./plan-report.js";
import type { PortHealth } from "./ports/port-health.js";
import type { SwitchWatch } from "./switch-watch.js";
import type { ZoneAllocator } from "./zones.js";

export interface PlannerParts {
  readonly watch: SwitchWatch;
  readonly belief: Belief;
  readonly ofctl: Ofctl;
  readonly flowWatch: FlowWatch;
  readonly health: PortHealth;
  readonly names: SwitchNames;
  readonly infrastructure: InfrastructureOptions;
  readonly conntrack: Conntrack;
  readonly zones: ZoneAllocator;
  readonly timeouts: ZoneTimeouts;
  readonly conntrackSettings: ConntrackSettings;
  readonly log: BackendLog;
  renderOptions(): RenderOptions;
}

/** Observes the switch and compares it with intent. Changes nothing. */
export class Planner {
  readonly #parts: PlannerParts;
  readonly #rendered = new RenderedBridges();
  /** Objects of ours that have been on the switch, as reports name them. */
  readonly #seen = new Set<string>();

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  /** @param epoch of the belief when the switch's port numbers were last known to be right */
  async plan(slice: IntentSlice, fresh: boolean, epoch: number): Promise<OvsPlan> {
    const { watch, names, conntrackSettings } = this.#parts;
    const infrastructure = planInfrastructure(slice, watch.topology, this.#parts.infrastructure);
    const flows = await this.compareFlows(slice, fresh);
    const gone = await this.#compareGone(infrastructure, fresh);
    const settings = settingsDrift(infrastructure, (object) => this.#seen.has(object));
    this.#noteSeen(slice);
    if (fresh) await conntrackSettings.refresh();
    const conntrackNews = conntrackSettings.news(slice.scope);
    const conntrack = conntrackSettings.wrong();
    const found = { intent: slice, infrastructure, flows, gone, conntrack };
    const diffs = reportBridges(found, names);
    const surprises = this.#surprisesIn(slice);
    return new OvsPlan({ ...found, diffs, settings, epoch, surprises, conntrackNews });
  }

  /** What was there once and is missing was taken away; what was never there is yet to be made. */
  #noteSeen({ vpcs }: IntentSlice): void {
    const { names, watch } = this.#parts;
    const { bridges, ports } = watch.topology;
    const own = [...vpcs.values()].flatMap(({ number }) => {
      return [names.vpcBridge(number), names.uplink(number), names.downlink(number)];
    });
    for (const name of [names.exchange, ...own]) {
      if (bridges.get(name)?.own) this.#seen.add(`bridge ${name}`);
      if (ports.get(name)?.own) this.#seen.add(`port ${name}`);
    }
  }

  /** What this plan repairs all of: on the exchange, that takes every peering. */
  #surprisesIn({ scope }: IntentSlice): Surprise[] {
    const { watch, belief } = this.#parts;
    return belief.surprises.filter(({ bridge }) => {
      const vpcId = watch.topology.bridges.get(bridge)?.vpcId;
      return scope === "all" || (vpcId !== undefined && scope.has(vpcId));
    });
  }

  /** Compares the flows of every bridge in the slice, as far as it can be read. */
  async compareFlows(slice: IntentSlice, fresh: boolean): Promise<FlowComparison> {
    const { watch, belief, ofctl, names } = this.#parts;
    const bridges = [...slice.vpcs.values()].map((vpc) => this.#bridgeOf(vpc));
    const existing = [...bridges, names.exchange].filter((name) =>
      watch.topology.bridges.has(name),
    );
    const own = existing.filter((name) => watch.topology.bridges.get(name)?.own);
    const troubles = await observe(own, belief, ofctl, fresh);
    for (const name of existing) {
      if (!own.includes(name)) troubles.set(name, `bridge ${name} is not this installation's`);
    }
    const options = this.#parts.renderOptions();
    const { topology } = watch;
    const installed = (vpc: VpcIntent) => belief.of(this.#bridgeOf(vpc));
    const vpcs = await compareVpcs(slice, installed, topology, options, this.#rendered);
    const exchange = belief.of(names.exchange) ?? new InstalledFlows(options.mark);
    return {
      vpcs: vpcs.filter(({ vpc }) => !troubles.has(this.#bridgeOf(vpc))),
      exchange: troubles.has(names.exchange)
        ? undefined
        : compareExchange(slice, exchange, topology, options),
      troubles,
    };
  }

  /** On a bridge whose VPC is gone nothing is desired any more. */
  async #compareGone({ goneBridges }: Infrastructure, fresh: boolean): Promise<GoneBridge[]> {
    const { belief, ofctl, infrastructure } = this.#parts;
    const names = goneBridges.map(({ row }) => row.name);
    const troubles = await observe(names, belief, ofctl, fresh);
    const owns = ownsCookie(infrastructure.identity.mark);
    return goneBridges.map((view) => {
      const { name } = view.row;
      const delta = diffFlows([], belief.of(name)?.all() ?? [], owns);
      return { view, delta, trouble: troubles.get(name) };
    });
  }

  #bridgeOf({ number }: VpcIntent): string {
    return this.#parts.names.vpcBridge(number);
  }
}

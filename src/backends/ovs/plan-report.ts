import type { SettingDrift } from "../../domain/data-plane.js";
import type { IntentSlice } from "../../domain/intent.js";
import { diffFlows, type FlowDelta } from "../../openflow/delta.js";
import type { BridgeDrift, PlannedBridge } from "../backend.js";
import { describeDelta } from "../flows/report.js";
import type { SwitchNames } from "../names.js";
import type { Infrastructure } from "./infrastructure.js";
import type { FlowComparison, GoneBridge } from "./ovs-plan.js";
import { isMissing } from "./settings/structure.js";

/** What a report tells of. */
export interface Reported {
  readonly intent: Pick<IntentSlice, "vpcs">;
  readonly infrastructure: Infrastructure;
  readonly flows: FlowComparison;
  readonly gone: readonly GoneBridge[];
  /** What is not as wanted of conntrack, by VPC; under null what concerns all. */
  readonly conntrack: ReadonlyMap<string | null, readonly SettingDrift[]>;
}

/** Why what is planned was not done: by bridge, once it has been tried. */
export type Failures = ReadonlyMap<string, string>;

const NO_FAILURES: Failures = new Map();

/** One entry for each VPC, one for the exchange, and one for each bridge that is to go. */
export function reportBridges(
  { intent, infrastructure, flows, gone, conntrack }: Reported,
  names: SwitchNames,
  failures: Failures = NO_FAILURES,
): PlannedBridge[] {
  const deltas = new Map(flows.vpcs.map(({ vpc, delta }) => [vpc.id, delta]));
  const describe = (
    bridge: string,
    vpcId: string | null,
    delta: FlowDelta | undefined,
    clash: string | undefined,
    ofConntrack: readonly SettingDrift[] = [],
  ) => {
    const trouble = clash ?? flows.troubles.get(bridge);
    const error = failures.get(bridge) ?? trouble ?? null;
    const settings = [...(infrastructure.settings.get(bridge) ?? []), ...ofConntrack];
    const unread = delta === undefined || trouble !== undefined;
    return describeDelta(vpcId, bridge, delta ?? NOTHING, { settings, error, unread });
  };
  const vpcs = [...intent.vpcs.values()].map(({ id, number }) => {
    const clash = infrastructure.clashes.get(id);
    return describe(names.vpcBridge(number), id, deltas.get(id), clash, conntrack.get(id));
  });
  const { exchange } = names;
  const going = gone.map(({ view: { row }, delta, trouble }) =>
    describe(row.name, null, delta, trouble),
  );
  return [
    ...vpcs,
    describe(exchange, null, flows.exchange, infrastructure.exchangeClash, conntrack.get(null)),
    ...going,
  ];
}

const NOTHING = diffFlows([], [], () => false);

/** Settings that somebody else has changed, and that are put right. */
export function settingsDrift(
  { settings }: Infrastructure,
  wasThere: (object: string) => boolean,
): BridgeDrift[] {
  const isDrift = (each: SettingDrift) =>
    each.wanted !== null && each.wanted !== "absent" && (!isMissing(each) || wasThere(each.object));
  return [...settings].flatMap(([bridge, all]) => {
    const changed = all.filter(isDrift);
    if (changed.length === 0) return [];
    return [{ bridge, deleted: [], altered: [], added: [], settings: changed }];
  });
}

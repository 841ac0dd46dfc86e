import type { SettingDrift } from "../../domain/data-plane.js";
import type { IntentSlice } from "../../domain/intent.js";
import type { FlowDelta } from "../../openflow/delta.js";
import type { BridgeDrift, Plan, PlannedBridge } from "../backend.js";
import type { VpcComparison } from "../flows/compare.js";
import { describeDrift } from "../flows/report.js";
import type { Surprise } from "./belief.js";
import { describeChanges, type SettingChange } from "./ct/setting-news.js";
import type { Infrastructure } from "./infrastructure.js";
import type { BridgeView } from "./topology.js";

/** The flows of the scope compared with the switch. */
export interface FlowComparison {
  /** VPCs whose bridge could be compared. */
  readonly vpcs: readonly VpcComparison[];
  /** Undefined when the exchange could not be read. */
  readonly exchange: FlowDelta | undefined;
  /** By bridge: why it could not be read. */
  readonly troubles: ReadonlyMap<string, string>;
}

/** A bridge whose VPC does not exist any more. */
export interface GoneBridge {
  readonly view: BridgeView;
  readonly delta: FlowDelta;
  /** Why it could not be read. */
  readonly trouble: string | undefined;
}

/** What a plan is made of. */
export type OvsPlanParts = Omit<OvsPlan, "drift">;

/** A plan as `apply` needs it. */
export class OvsPlan implements Plan {
  readonly intent: IntentSlice;
  readonly diffs: readonly PlannedBridge[];
  readonly infrastructure: Infrastructure;
  readonly flows: FlowComparison;
  readonly gone: readonly GoneBridge[];
  /** What is not as wanted of conntrack, by VPC; under null what concerns all. */
  readonly conntrack: ReadonlyMap<string | null, readonly SettingDrift[]>;
  /** Where settings were changed by somebody else. */
  readonly settings: readonly BridgeDrift[];
  /** That of the belief that it rests on. */
  readonly epoch: number;
  readonly surprises: readonly Surprise[];
  /** What somebody has changed of conntrack's settings. */
  readonly conntrackNews: readonly SettingChange[];

  constructor(parts: OvsPlanParts) {
    this.intent = parts.intent;
    this.diffs = parts.diffs;
    this.infrastructure = parts.infrastructure;
    this.flows = parts.flows;
    this.gone = parts.gone;
    this.conntrack = parts.conntrack;
    this.settings = parts.settings;
    this.epoch = parts.epoch;
    this.surprises = parts.surprises;
    this.conntrackNews = parts.conntrackNews;
  }

  get drift(): readonly BridgeDrift[] {
    const flows = this.surprises.map(({ bridge, delta }) => describeDrift(bridge, delta));
    return [...flows, ...this.settings, ...describeChanges(this.conntrackNews)];
  }
}

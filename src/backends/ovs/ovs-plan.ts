import type { IntentSlice } from "../../domain/intent.js";
import type { FlowDelta } from "../../openflow/delta.js";
import type { BridgeDrift, Plan, PlannedBridge } from "../backend.js";
import type { VpcComparison } from "../flows/compare.js";
import { describeDrift } from "../flows/report.js";
import type { Surprise } from "./belief.js";
import { describeChanges, type SettingChange } from "./ct/setting-news.js";
import type { Infrastructure } from "./infrastructure.js";

/** The flows of the scope compared with the switch. */
export interface FlowComparison {
  /** VPCs whose bridge could be compared. */
  readonly vpcs: readonly VpcComparison[];
  /** Undefined when the exchange could not be read. */
  readonly exchange: FlowDelta | undefined;
  /** By bridge: why it could not be read. */
  readonly troubles: ReadonlyMap<string, string>;
}

/** A plan as `apply` needs it. */
export class OvsPlan implements Plan {
  readonly intent: IntentSlice;
  readonly diffs: readonly PlannedBridge[];
  readonly infrastructure: Infrastructure;
  readonly flows: FlowComparison;
  /** That of the belief that it rests on. */
  readonly epoch: number;
  readonly surprises: readonly Surprise[];
  /** What somebody has changed of conntrack's settings. */
  readonly conntrackNews: readonly SettingChange[];

  constructor(
    intent: IntentSlice,
    diffs: readonly PlannedBridge[],
    infrastructure: Infrastructure,
    flows: FlowComparison,
    epoch: number,
    surprises: readonly Surprise[],
    conntrackNews: readonly SettingChange[],
  ) {
    this.intent = intent;
    this.diffs = diffs;
    this.infrastructure = infrastructure;
    this.flows = flows;
    this.epoch = epoch;
    this.surprises = surprises;
    this.conntrackNews = conntrackNews;
  }

  get drift(): readonly BridgeDrift[] {
    const flows = this.surprises.map(({ bridge, delta }) => describeDrift(bridge, delta));
    return [...flows, ...describeChanges(this.conntrackNews)];
  }
}

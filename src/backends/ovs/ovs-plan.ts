import type { IntentSlice } from "../../domain/intent.js";
import type { FlowDelta } from "../../openflow/delta.js";
import type { BridgeDrift, Plan, PlannedBridge } from "../backend.js";
import type { VpcComparison } from "../flows/compare.js";
import { describeDrift } from "../flows/report.js";
import type { Surprise } from "./belief.js";
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

  constructor(
    intent: IntentSlice,
    diffs: readonly PlannedBridge[],
    infrastructure: Infrastructure,
    flows: FlowComparison,
    epoch: number,
    surprises: readonly Surprise[],
  ) {
    this.intent = intent;
    this.diffs = diffs;
    this.infrastructure = infrastructure;
    this.flows = flows;
    this.epoch = epoch;
    this.surprises = surprises;
  }

  get drift(): readonly BridgeDrift[] {
    return this.surprises.map(({ bridge, delta }) => describeDrift(bridge, delta));
  }
}

import type { FlowDelta } from "./delta.js";
import type { Flow } from "./flow.js";
import { formatDelete, formatFlowMod } from "./text.js";

/** One step of a bundle. An `add` replaces the flow that has its identity. */
export interface BundleStep {
  readonly kind: "add" | "delete";
  readonly flow: Flow;
}

/** What makes the delta vanish, in order: removals first. */
export function stepsFor({ unexpected, changed, missing }: FlowDelta): BundleStep[] {
  return [
    ...unexpected.map((flow) => ({ kind: "delete", flow }) as const),
    ...changed.map(({ to }) => ({ kind: "add", flow: to }) as const),
    ...missing.map((flow) => ({ kind: "add", flow }) as const),
  ];
}

/** The step in the words of `ovs-ofctl --bundle add-flows`. */
export function formatStep({ kind, flow }: BundleStep): string {
  return kind === "add" ? formatFlowMod(flow) : formatDelete(flow);
}

import { type FlowDelta, isSettled } from "../../openflow/delta.js";
import { isLeftBehind } from "../../pipeline/layout.js";

/** A delta in two steps. */
export interface Changeover {
  readonly first: FlowDelta;
  /** To be carried out once the datapath has confirmed the first. */
  readonly rest: FlowDelta;
}

/**
 * From one layout to another: first all of the new one, and what leads packets into it, at one
 * moment. A packet that conntrack holds then still finds the tables it is to go on in.
 */
export function partForChangeover(delta: FlowDelta): Changeover {
  const rest = { ...NOTHING, unexpected: delta.unexpected.filter(isLeftBehind) };
  if (isSettled(rest)) return { first: delta, rest };
  const unexpected = delta.unexpected.filter((flow) => !isLeftBehind(flow));
  return { first: { ...delta, unexpected }, rest };
}

const NOTHING: FlowDelta = { missing: [], changed: [], unexpected: [], foreign: [] };

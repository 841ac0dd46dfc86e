import type { Flow } from "./flow.js";
import { flowKey, sameValue } from "./text.js";

/** What separates the flows of one bridge from the desired ones. */
export interface FlowDelta {
  readonly missing: Flow[];
  /** Installed under a desired flow's identity, with another cookie, other actions or timeouts. */
  readonly changed: { readonly from: Flow; readonly to: Flow }[];
  /** Ours, and not desired. */
  readonly unexpected: Flow[];
  /** Somebody else's, and in nobody's way. */
  readonly foreign: Flow[];
}

/**
 * Compares by identity. Whoever put a flow under a desired flow's identity, it counts as changed:
 * the switch keeps one flow for each identity, so ours is not there.
 */
export function diffFlows(
  desired: Iterable<Flow>,
  installed: Iterable<Flow>,
  owns: (cookie: bigint) => boolean,
): FlowDelta {
  const delta: FlowDelta = {
    missing: [],
    changed: [],
    unexpected: [],
    foreign: [],
  };
  const awaited = new Map<string, Flow>();
  for (const flow of desired) awaited.set(flowKey(flow), flow);
  for (const from of installed) {
    const key = flowKey(from);
    const to = awaited.get(key);
    awaited.delete(key);
    if (to === undefined) (owns(from.cookie) ? delta.unexpected : delta.foreign).push(from);
    else if (!sameValue(from, to)) delta.changed.push({ from, to });
  }
  delta.missing.push(...awaited.values());
  return delta;
}

/** Whether the bridge is as desired; foreign flows do not matter. */
export function isSettled(delta: FlowDelta): boolean {
  return delta.missing.length + delta.changed.length + delta.unexpected.length === 0;
}

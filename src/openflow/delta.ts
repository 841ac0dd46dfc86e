import type { Flow } from "./flow.js";
import type { KeyedFlow, Part } from "./parts.js";
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
  const awaited = new Map<string, Flow>();
  for (const flow of desired) awaited.set(flowKey(flow), flow);
  const delta = emptyDelta();
  for (const from of installed) sort(delta, awaited, flowKey(from), from, owns);
  delta.missing.push(...awaited.values());
  return delta;
}

/** The flows of one bridge by their identities. */
export interface FlowTable {
  entries(): Iterable<readonly [key: string, flow: Flow]>;
  get(key: string): Flow | undefined;
  foreign(): Iterable<Flow>;
}

/** As `diffFlows`, with keys that are known already. */
export function diffParts(
  desired: readonly Part[],
  installed: FlowTable,
  owns: (cookie: bigint) => boolean,
): FlowDelta {
  const awaited = awaitedOf(desired);
  const delta = emptyDelta();
  for (const [key, from] of installed.entries()) sort(delta, awaited, key, from, owns);
  delta.missing.push(...awaited.values());
  return delta;
}

/** As `diffFlows`, between two states of one bridge. */
export function diffTables(
  desired: FlowTable,
  installed: FlowTable,
  owns: (cookie: bigint) => boolean,
): FlowDelta {
  const awaited = new Map(desired.entries());
  const delta = emptyDelta();
  for (const [key, from] of installed.entries()) sort(delta, awaited, key, from, owns);
  delta.missing.push(...awaited.values());
  return delta;
}

/**
 * As `diffParts` for a bridge that had just what `agreed` desired: only parts that have come and
 * gone since are looked at.
 */
export function diffChangedParts(
  desired: readonly Part[],
  agreed: readonly Part[],
  installed: FlowTable,
  owns: (cookie: bigint) => boolean,
): FlowDelta {
  const [before, after] = [new Set(agreed), new Set(desired)];
  const awaited = awaitedOf(desired.filter((part) => !before.has(part)));
  const leaving = new Map(
    agreed.filter((part) => !after.has(part)).flatMap(({ flows }) => flows.map(entryOf)),
  );
  const delta = emptyDelta();
  for (const [key, to] of awaited) {
    const from = installed.get(key);
    const stays = from !== undefined && owns(from.cookie) && !leaving.has(key);
    if (stays) throw new Error(`two flows are desired for ${key}`);
    if (from === undefined) delta.missing.push(to);
    else if (!sameValue(from, to)) delta.changed.push({ from, to });
  }
  for (const key of leaving.keys()) {
    const flow = awaited.has(key) ? undefined : installed.get(key);
    if (flow !== undefined) delta.unexpected.push(flow);
  }
  for (const flow of installed.foreign()) {
    if (!awaited.has(flowKey(flow))) delta.foreign.push(flow);
  }
  return delta;
}

/** @throws Error when two parts desire one identity: the switch would keep the last one silently */
function awaitedOf(parts: readonly Part[]): Map<string, Flow> {
  const awaited = new Map<string, Flow>();
  for (const { flows } of parts) {
    for (const { key, flow } of flows) {
      if (awaited.has(key)) throw new Error(`two flows are desired for ${key}`);
      awaited.set(key, flow);
    }
  }
  return awaited;
}

function entryOf({ key, flow }: KeyedFlow): readonly [string, Flow] {
  return [key, flow];
}

function emptyDelta(): FlowDelta {
  return { missing: [], changed: [], unexpected: [], foreign: [] };
}

function sort(
  delta: FlowDelta,
  awaited: Map<string, Flow>,
  key: string,
  from: Flow,
  owns: (cookie: bigint) => boolean,
): void {
  const to = awaited.get(key);
  awaited.delete(key);
  if (to === undefined) (owns(from.cookie) ? delta.unexpected : delta.foreign).push(from);
  else if (!sameValue(from, to)) delta.changed.push({ from, to });
}

/** Whether the bridge is as desired; foreign flows do not matter. */
export function isSettled(delta: FlowDelta): boolean {
  return delta.missing.length + delta.changed.length + delta.unexpected.length === 0;
}

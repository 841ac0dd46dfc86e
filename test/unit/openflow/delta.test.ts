import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffFlows, type FlowDelta, isSettled } from "../../../src/openflow/delta.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { flowKey, sameValue } from "../../../src/openflow/text.js";
import { anyFlow } from "./arbitrary.js";

const OURS = 1n;
const THEIRS = 2n;
const owns = (cookie: bigint) => cookie === OURS;

function flow(priority: number, cookie: bigint, actions = "drop"): Flow {
  return { table: 0, priority, cookie, match: {}, actions };
}

describe("diffFlows", () => {
  it("finds nothing between equal sets", () => {
    const delta = diffFlows([flow(1, OURS)], [flow(1, OURS)], owns);
    expect(delta).toEqual({ missing: [], changed: [], unexpected: [], foreign: [] });
    expect(isSettled(delta)).toBe(true);
  });

  it("tells missing, unexpected and foreign apart", () => {
    const delta = diffFlows([flow(1, OURS)], [flow(2, OURS), flow(3, THEIRS)], owns);
    expect(delta.missing).toEqual([flow(1, OURS)]);
    expect(delta.unexpected).toEqual([flow(2, OURS)]);
    expect(delta.foreign).toEqual([flow(3, THEIRS)]);
    expect(isSettled(delta)).toBe(false);
  });

  it.each([
    ["other actions", flow(1, OURS, "output:1")],
    ["a foreign cookie", flow(1, THEIRS)],
    ["a timeout", { ...flow(1, OURS), extras: ["hard_timeout=9"] }],
  ])("calls a desired flow with %s changed", (_what, from) => {
    const to = flow(1, OURS);
    const delta = diffFlows([to], [from], owns);
    expect(delta).toEqual({ missing: [], changed: [{ from, to }], unexpected: [], foreign: [] });
  });

  it("lets foreign flows be", () => {
    expect(isSettled(diffFlows([], [flow(1, THEIRS)], owns))).toBe(true);
  });
});

const flowSet = () => fc.uniqueArray(anyFlow(), { selector: flowKey, maxLength: 12 });

function applied(installed: readonly Flow[], delta: FlowDelta): Map<string, Flow> {
  const bridge = new Map(installed.map((entry) => [flowKey(entry), entry]));
  for (const entry of delta.unexpected) bridge.delete(flowKey(entry));
  for (const { from, to } of delta.changed) {
    expect(flowKey(from)).toBe(flowKey(to));
    bridge.set(flowKey(to), to);
  }
  for (const entry of delta.missing) {
    expect(bridge.has(flowKey(entry))).toBe(false);
    bridge.set(flowKey(entry), entry);
  }
  return bridge;
}

describe("a delta", () => {
  it("applied to the installed flows gives the desired and the foreign ones", () => {
    fc.assert(
      fc.property(flowSet(), flowSet(), (desired, installed) => {
        const wanted = new Set(desired.map(flowKey));
        const foreign = installed.filter((e) => !owns(e.cookie) && !wanted.has(flowKey(e)));
        const delta = diffFlows(desired, installed, owns);
        const expected = new Map([...foreign, ...desired].map((entry) => [flowKey(entry), entry]));
        expect(applied(installed, delta)).toEqual(expected);
        expect(delta.foreign).toEqual(foreign);
      }),
    );
  });

  it("is empty once applied, and holds nothing that was in order", () => {
    fc.assert(
      fc.property(flowSet(), flowSet(), (desired, installed) => {
        const delta = diffFlows(desired, installed, owns);
        expect(delta.changed.every(({ from, to }) => !sameValue(from, to))).toBe(true);
        const after = applied(installed, delta).values();
        expect(isSettled(diffFlows(desired, after, owns))).toBe(true);
      }),
    );
  });
});

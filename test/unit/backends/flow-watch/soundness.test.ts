import fc from "fast-check";
import { expect, it } from "vitest";
import { SimulatedBridge, type Step } from "./simulated-bridge.js";

/** Flows that look alike in what is told of them, so that things get in each other's way. */
const KEYS = 3;
const key = fc.nat({ max: KEYS - 1 });
const keys = fc.uniqueArray(key, { maxLength: KEYS });

/** One thing that happens; each part of the world goes on at its own pace. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const), desired: keys }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("bundle" as const), desired: keys }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tellAll" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reply" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("passBarrier" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("tell" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("strangerDeletes" as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("strangerAdds" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("strangerReplaces" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("strangerModifies" as const), key }) },
);

/** What random steps seldom hit: a removal awaited in vain, and a stranger's that looks like it. */
const HIDDEN: [number[], Step[]][] = [
  [
    [0, 1],
    [
      { do: "strangerDeletes", key: 0 },
      { do: "tellAll" },
      { do: "bundle", desired: [1] },
      { do: "read" },
      { do: "strangerDeletes", key: 1 },
    ],
  ],
  // The first bundle's barrier is passed only after the second bundle was told of.
  [
    [0, 1, 2],
    [
      { do: "strangerDeletes", key: 0 },
      { do: "tellAll" },
      { do: "bundle", desired: [1, 2] },
      { do: "read" },
      { do: "bundle", desired: [2] },
      { do: "passBarrier" },
      { do: "tellAll" },
      { do: "read" },
      { do: "strangerDeletes", key: 2 },
    ],
  ],
  // The stranger is told of only while the count is open.
  [
    [0],
    [
      { do: "strangerReplaces", key: 0 },
      { do: "bundle", desired: [1] },
      { do: "tell" },
      { do: "read" },
      { do: "strangerDeletes", key: 1 },
    ],
  ],
];

it("whatever a stranger does, and when: a bridge that is not as believed is suspect", () => {
  fc.assert(
    fc.property(keys, fc.array(step, { maxLength: 14, size: "max" }), (installed, steps) => {
      const bridge = new SimulatedBridge(installed);
      for (const each of steps) bridge.perform(each);
      bridge.comeToRest();
      expect(bridge.isSuspect || bridge.isAsBelieved).toBe(true);
    }),
    { numRuns: 20_000, examples: HIDDEN },
  );
}, 60_000);

it("without a stranger nothing is ever suspect", () => {
  const own = step.filter((each) => !each.do.startsWith("stranger") && each.do !== "fail");
  fc.assert(
    fc.property(keys, fc.array(own, { maxLength: 40, size: "max" }), (installed, steps) => {
      const bridge = new SimulatedBridge(installed);
      for (const each of steps) {
        bridge.perform(each);
        expect(bridge.isSuspect).toBe(false);
      }
      bridge.comeToRest();
      expect([bridge.isSuspect, bridge.isAsBelieved]).toEqual([false, true]);
    }),
    { numRuns: 2000 },
  );
}, 60_000);

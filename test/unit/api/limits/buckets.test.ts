import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Buckets } from "../../../../src/api/limits/buckets.js";

/** A clock that is moved by hand. */
function madeBy(perSecond: number, most = 1000) {
  let ms = 0;
  const buckets = new Buckets({ perSecond, most, now: () => ms });
  const ask = (name: string): boolean => {
    const isThere = buckets.waitMs(name) === 0;
    if (isThere) buckets.take(name);
    return isThere;
  };
  const advance = (by: number) => {
    ms += by;
  };
  return { buckets, ask, advance };
}

describe("token buckets", () => {
  test("hold what comes in a second, and fill evenly", () => {
    for (const perSecond of [1, 3, 7, 200, 1000]) {
      const { ask, advance } = madeBy(perSecond);
      const burst = Array.from({ length: perSecond + 1 }, () => ask("a"));
      expect(burst.filter(Boolean)).toHaveLength(perSecond);
      advance(1000 / perSecond + 0.001);
      expect([ask("a"), ask("a")]).toEqual([true, false]);
      advance(60_000);
      const later = Array.from({ length: perSecond + 1 }, () => ask("a"));
      expect(later.filter(Boolean)).toHaveLength(perSecond);
    }
  });

  test("say when there is one again", () => {
    const { buckets, ask, advance } = madeBy(2);
    expect([ask("a"), ask("a"), ask("a")]).toEqual([true, true, false]);
    expect(buckets.waitMs("a")).toBe(500);
    advance(499);
    expect(ask("a")).toBe(false);
    advance(1);
    expect(ask("a")).toBe(true);
  });

  test("never give more than a burst and what has come since", () => {
    const steps = fc.array(fc.tuple(fc.nat(400), fc.constantFrom("a", "b")), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), steps, (perSecond, asked) => {
        const { ask, advance } = madeBy(perSecond);
        const given: number[] = [];
        let at = 0;
        for (const [by, name] of asked) {
          advance(by);
          at += by;
          if (ask(name) && name === "a") given.push(at);
        }
        for (const [index, from] of given.entries()) {
          const within = given.slice(index).map((to, more) => [more + 1, to - from] as const);
          for (const [count, ms] of within) {
            expect(count).toBeLessThanOrEqual(perSecond + (ms * perSecond) / 1000 + 0.001);
          }
        }
      }),
    );
  });

  test("are forgotten when they are full, and beyond the most that may be remembered", () => {
    const crowd = madeBy(10, 1000);
    for (let i = 0; i < 100_000; i += 1) crowd.ask(`client ${i}`);
    expect(crowd.buckets.size).toBe(1000);
    const slow = madeBy(10, 1_000_000);
    for (let i = 0; i < 10_000; i += 1) {
      slow.ask(`client ${i}`);
      slow.advance(10);
    }
    expect(slow.buckets.size).toBeLessThan(100);
  });
});

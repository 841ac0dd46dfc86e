import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Work } from "../../../src/reconcile/dirty-set.js";
import { Retries } from "../../../src/reconcile/retries.js";

describe("retries", () => {
  let due: Work[];
  let retries: Retries;

  beforeEach(() => {
    vi.useFakeTimers();
    due = [];
    retries = new Retries(
      () => 1,
      (work) => due.push(work),
    );
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("has one timer a key, however often it fails, and loses no work", async () => {
    retries.later("all", new Set(["a"]), { fresh: true });
    retries.later("all", new Set(["b"]), { fresh: false });
    retries.later("other", new Set(["c"]), { fresh: false });
    expect(vi.getTimerCount()).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(due).toEqual([
      { scope: new Set(["c"]), fresh: false },
      { scope: new Set(["a", "b"]), fresh: true },
    ]);
  });

  it("waits longer after each failure, and shortly again after a success", () => {
    const delays = [1, 2, 3].map(() => retries.later("a", new Set(["a"]), { fresh: false }));
    expect(delays).toEqual([200, 400, 800]);
    retries.done("a");
    expect(vi.getTimerCount()).toBe(0);
    expect(retries.later("a", new Set(["a"]), { fresh: false })).toBe(200);
  });

  it("does not give up pending work only because something else went well", async () => {
    retries.later("all", "all", { fresh: true });
    retries.calm("all");
    await vi.advanceTimersByTimeAsync(200);
    expect(due).toEqual([{ scope: "all", fresh: true }]);
    retries.calm("all");
    expect(retries.keys()).toEqual([]);
  });

  it("starts nothing once stopped", () => {
    retries.later("a", "all", { fresh: false });
    retries.stop();
    retries.later("b", "all", { fresh: false });
    expect(vi.getTimerCount()).toBe(0);
  });
});

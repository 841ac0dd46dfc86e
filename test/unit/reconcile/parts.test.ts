import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoffDelay } from "../../../src/reconcile/backoff.js";
import { DirtySet } from "../../../src/reconcile/dirty-set.js";
import { SettlementBoard } from "../../../src/reconcile/settlement-board.js";

describe("the dirty set", () => {
  it("coalesces marks and is empty once taken", () => {
    const dirty = new DirtySet();
    dirty.mark(new Set(["a"]), { fresh: false });
    dirty.mark(new Set(["a", "b"]), { fresh: false });
    expect(dirty.take()).toEqual({ scope: new Set(["a", "b"]), fresh: false });
    expect(dirty.isEmpty).toBe(true);
  });

  it("never loses the widest scope or the wish for a fresh look", () => {
    const mark = fc.record({
      scope: fc.oneof(
        fc.constant("all" as const),
        fc.array(fc.string()).map((ids) => new Set(ids)),
      ),
      fresh: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(mark), (marks) => {
        const dirty = new DirtySet();
        for (const { scope, fresh } of marks) dirty.mark(scope, { fresh });
        const work = dirty.take();
        expect(work.fresh).toBe(marks.some(({ fresh }) => fresh));
        for (const { scope } of marks) {
          if (scope === "all") expect(work.scope).toBe("all");
          else if (work.scope !== "all") for (const id of scope) expect(work.scope).toContain(id);
        }
      }),
    );
  });
});

describe("backoff", () => {
  it("grows with failures, is bounded, and jitters by at most one half", () => {
    const failures = fc.integer({ min: 1, max: 60 });
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(failures, random, (n, r) => {
        const delay = backoffDelay(n, () => r);
        const bound = backoffDelay(n, () => 1);
        expect(delay).toBeGreaterThanOrEqual(bound / 2);
        expect(delay).toBeLessThanOrEqual(bound);
        expect(backoffDelay(n + 1, () => 1)).toBeGreaterThanOrEqual(bound);
      }),
    );
    expect(backoffDelay(1, () => 1)).toBe(200);
    expect(backoffDelay(50, () => 1)).toBe(10_000);
  });
});

describe("the settlement board", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("wakes those who wait for the announced peering, and nobody else", async () => {
    const board = new SettlementBoard();
    const woken: string[] = [];
    void board.next("pcx-1", 1000).then(() => woken.push("first"));
    void board.next("pcx-1", 1000).then(() => woken.push("second"));
    void board.next("pcx-2", 1000).then(() => woken.push("other"));
    board.announce(["pcx-1"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(woken).toEqual(["first", "second"]);
  });

  it("lets a caller go after its limit", async () => {
    const board = new SettlementBoard();
    let done = false;
    void board.next("pcx-1", 1000).then(() => {
      done = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toBe(true);
  });

  it("lets everybody go when it closes, and keeps nobody afterwards", async () => {
    const board = new SettlementBoard();
    const waiting = board.next("pcx-1", 60_000);
    board.close();
    await waiting;
    await board.next("pcx-1", 60_000);
    expect(board.closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

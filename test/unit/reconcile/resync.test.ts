import { describe, expect, it } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { DirtySet } from "../../../src/reconcile/dirty-set.js";
import { readAhead } from "../../../src/reconcile/resync.js";

/** One piece of work at a time, in the order in which it was asked for. */
function turns() {
  let turn: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
}

const neverStopped = () => false;

describe("reading the switch ahead of a resync", () => {
  it("lets what becomes due meanwhile take its turn before the next piece", async () => {
    const done: string[] = [];
    const inTurn = turns();
    const read = (name: string) => async () => {
      done.push(name);
      if (name === "first") void inTurn(async () => void done.push("an accept"));
    };
    const backend = { readings: () => [read("first"), read("second")] };
    const work = await readAhead({ backend, inTurn, isStopped: neverStopped });
    expect(done).toEqual(["first", "an accept", "second"]);
    expect(work).toEqual({ scope: "all", fresh: true, isRead: true });
  });

  it("leaves the reading to the work that is left when the switch cannot be reached", async () => {
    const fail = async () => {
      throw new BackendError("away");
    };
    const backend = { readings: () => [fail] };
    const work = await readAhead({ backend, inTurn: turns(), isStopped: neverStopped });
    expect(work).toEqual({ scope: "all", fresh: true });
  });

  it("reads nothing more once it is stopped", async () => {
    let pieces = 0;
    const read = async () => {
      pieces += 1;
    };
    const backend = { readings: () => [read, read, read] };
    await readAhead({ backend, inTurn: turns(), isStopped: () => pieces > 0 });
    expect(pieces).toBe(1);
  });
});

describe("work that coalesces", () => {
  const all = { scope: "all" } as const;

  it("counts as read only when all that must be read was", () => {
    const dirty = new DirtySet();
    dirty.mark("all", { fresh: true, isRead: true });
    dirty.mark(new Set(["vpc-1"]), { fresh: false });
    expect(dirty.take()).toEqual({ ...all, fresh: true, isRead: true });
    dirty.mark("all", { fresh: true, isRead: true });
    dirty.mark("all", { fresh: true });
    expect(dirty.take()).toEqual({ ...all, fresh: true });
    dirty.mark("all", { fresh: true, isRead: true });
    expect(dirty.take()).toMatchObject({ isRead: true });
  });
});

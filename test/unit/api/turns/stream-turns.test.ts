import { expect, test } from "vitest";
import { FairQueue } from "../../../../src/api/turns/fair-queue.js";
import { streamTurns } from "../../../../src/api/turns/stream-turns.js";
import type { Principal } from "../../../../src/domain/principal.js";

const MOST_WAITING = 1;

function world(places = 1) {
  const queue = new FairQueue({ places, waitingPerTenant: MOST_WAITING });
  const turns = streamTurns(queue);
  const begun: string[] = [];
  const ends: Array<() => void> = [];
  const abort = new AbortController();
  /** A part that is read until its end is called. */
  const read = (tenantId: string | null, name: string, signal = abort.signal) => {
    const caller: Principal = { tenantId, accessKeyId: "k", roles: [], permissions: new Set() };
    return turns(
      caller,
      signal,
    )(() => {
      begun.push(name);
      return new Promise<string>((resolve) => ends.push(() => resolve(name)));
    });
  };
  const end = async () => {
    ends.shift()?.();
    await settle();
  };
  const counts = () => [queue.running, queue.waiting];
  return { queue, begun, read, end, counts, abort };
}

const settle = async () => {
  for (let each = 0; each < 3; each += 1) await new Promise((resolve) => setImmediate(resolve));
};

test("a tenant's streams read one part at a time, and others in between", async () => {
  const { begun, read, end, counts } = world(2);
  const parts = ["a1", "a2", "a3"].map((name) => read("a", name));
  await settle();
  expect(begun).toEqual(["a1"]);
  const others = [read("b", "b1"), read(null, "operator's")];
  await settle();
  expect(begun).toEqual(["a1", "b1"]);
  for (let each = 0; each < 5; each += 1) await end();
  expect(begun).toEqual(["a1", "b1", "a2", "operator's", "a3"]);
  expect(await Promise.all([...parts, ...others])).toHaveLength(5);
  expect(counts()).toEqual([0, 0]);
});

test("a stream is not refused where too many calls wait", async () => {
  const { queue, begun, read, end } = world();
  const parts = ["1", "2", "3", "4"].map((name) => read("a", name));
  await settle();
  const start = () => {};
  const call = { party: { tenant: "a", key: "other" }, isBack: false, start };
  expect(queue.enter(call)).toBe(false);
  for (let each = 0; each < 4; each += 1) await end();
  expect(begun).toHaveLength(4);
  expect(await Promise.all(parts)).toEqual(["1", "2", "3", "4"]);
});

test("a stream that ends does not wait any longer, nor keeps a place that it did not use", async () => {
  const { begun, read, end, counts, abort } = world();
  const going = new AbortController();
  const first = read("a", "first", going.signal);
  await settle();
  const waiting = read("a", "waiting");
  expect(counts()).toEqual([1, 1]);
  going.abort();
  abort.abort();
  expect(await waiting).toBeUndefined();
  expect(await read("a", "late")).toBeUndefined();
  // What is being read is still being read.
  expect(counts()).toEqual([1, 0]);
  await end();
  expect(await first).toBe("first");
  const called = new AbortController();
  const unused = read("a", "unused", called.signal);
  called.abort();
  expect(await unused).toBeUndefined();
  expect(counts()).toEqual([0, 0]);
  expect(begun).toEqual(["first"]);
});

test("a read that fails gives its place back", async () => {
  const { queue, counts, abort } = world();
  const caller: Principal = { tenantId: "a", roles: [], permissions: new Set() };
  const failing = streamTurns(queue)(caller, abort.signal)(async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(counts()).toEqual([0, 0]);
});

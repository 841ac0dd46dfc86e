import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue, type Ticket } from "../../../../src/api/turns/fair-queue.js";
import { QueueModel, queueCommands } from "./queue-model.js";

describe("a fair queue", () => {
  test("serves the tenants in rotation, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), queueCommands, (places, commands) => {
        const model = new QueueModel({ places, waitingPerTenant: 5 });
        for (const command of commands) model.run(command);
        model.drain();
      }),
      { numRuns: 500 },
    );
  });

  test("lets a tenant's call go after one other, whatever the other tenant waits for", () => {
    const { started, enter, leave } = recorded(1);
    const first = enter("a", "a1");
    for (let i = 0; i < 1000; i += 1) enter("a", "more");
    enter("b", "b1");
    leave(first);
    leave(started[1]);
    expect(started.map(({ name }) => name)).toEqual(["a1", "more", "b1"]);
  });

  test("gives a tenant one of several places at a time", () => {
    const { started, enter, leave } = recorded(3);
    const [first] = ["a1", "a2", "a3"].map((name) => enter("a", name));
    enter("b", "b1");
    expect(started.map(({ name }) => name)).toEqual(["a1", "b1"]);
    leave(first);
    expect(started.map(({ name }) => name)).toEqual(["a1", "b1", "a2"]);
  });

  test("lets who pauses wait for the others that work now, and for nobody else", async () => {
    const { queue, enter, leave } = recorded(6);
    const [a, b, c] = [enter("a", "a1"), enter("b", "b1"), enter("c", "c1")];
    const pause = settledSoon(queue.othersDone(a));
    enter("b", "comes later");
    leave(b);
    expect(await pause.isOver()).toBe(false);
    leave(c);
    expect(await pause.isOver()).toBe(true);
  });

  test("lets who pauses first go on first", async () => {
    const { queue, enter, leave } = recorded(6);
    const [a, b, c] = [enter("a", "a1"), enter("b", "b1"), enter("c", "c1")];
    const first = settledSoon(queue.othersDone(a));
    const second = settledSoon(queue.othersDone(b));
    expect([await first.isOver(), await second.isOver()]).toEqual([false, false]);
    const third = settledSoon(queue.othersDone(c));
    expect([await first.isOver(), await second.isOver()]).toEqual([true, true]);
    expect(await third.isOver()).toBe(false);
    leave(a);
    void queue.othersDone(b);
    expect(await third.isOver()).toBe(true);
  });

  test("ends the pause of who leaves", async () => {
    const { queue, enter, leave } = recorded(4);
    const [a] = [enter("a", "a1"), enter("b", "b1")];
    const pause = settledSoon(queue.othersDone(a));
    leave(a);
    expect(await pause.isOver()).toBe(true);
  });

  test("serves a tenant's keys in rotation, and first who is back", () => {
    const { started, enter, leave } = recorded(1);
    enter("a", "first");
    for (const name of ["x1", "x2", "x3"]) enter("a", name, { key: "x" });
    enter("a", "y1", { key: "y" });
    enter("a", "back", { key: "x", isBack: true });
    for (let i = 0; i < 6; i += 1) leave(started[i]);
    const names = ["first", "back", "x1", "y1", "x2", "x3"];
    expect(started.map(({ name }) => name)).toEqual(names);
  });

  test("refuses whom it has no room for, and nobody who is back", () => {
    const queue = new FairQueue({ places: 1, waitingPerTenant: 2 });
    const enter = (tenant: string, isBack = false) => {
      return queue.enter({ party: { tenant, key: "k" }, isBack, start() {} });
    };
    const answers = ["a", "a", "a", "a", "b"].map((tenant) => enter(tenant));
    expect(answers).toEqual([true, true, true, false, true]);
    expect(enter("a", true)).toBe(true);
    expect([queue.running, queue.waiting]).toEqual([1, 4]);
  });

  test("gives a place back once", () => {
    const { started, enter, leave } = recorded(1);
    const first = enter("a", "a1");
    const second = enter("a", "a2");
    enter("a", "a3");
    leave(first);
    leave(first);
    expect(started).toHaveLength(2);
    leave(second);
    expect(started).toHaveLength(3);
  });
});

type Named = Ticket & { readonly name: string };

/** A queue, and who has been given a place so far. */
function recorded(places: number) {
  const queue = new FairQueue({ places, waitingPerTenant: 1000 });
  const started: Named[] = [];
  const enter = (tenant: string, name: string, { key = "k", isBack = false } = {}): Named => {
    const ticket: Named = {
      name,
      party: { tenant, key },
      isBack,
      start: () => void started.push(ticket),
    };
    queue.enter(ticket);
    return ticket;
  };
  const leave = (ticket: Ticket | undefined) => {
    if (ticket === undefined) throw new Error("nobody to leave");
    queue.leave(ticket);
  };
  return { queue, started, enter, leave };
}

/** Whether a promise has been kept once everything that follows from what was done has happened. */
function settledSoon(promise: Promise<void>) {
  let over = false;
  void promise.then(() => (over = true));
  const isOver = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return over;
  };
  return { isOver };
}

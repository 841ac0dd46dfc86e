import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CallTurn } from "../../../../src/api/turns/call-turn.js";
import { FairQueue } from "../../../../src/api/turns/fair-queue.js";
import { aside, askSwitch, letOthersGoFirst } from "../../../../src/domain/turn.js";

const LIMIT_MS = 1000;

describe("the turn of a call", () => {
  let queue: FairQueue;
  let atSwitch: FairQueue;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    queue = new FairQueue({ places: 1, waitingPerTenant: 2 });
    atSwitch = new FairQueue({ places: 1, waitingPerTenant: 1 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const newTurn = (tenant = "a") => {
    return new CallTurn({ database: queue, atSwitch }, { tenant, key: "k" });
  };
  const counts = () => [queue.running, queue.waiting];

  async function taken(tenant?: string): Promise<CallTurn> {
    const turn = newTurn(tenant);
    expect(await turn.take(LIMIT_MS)).toBe(true);
    return turn;
  }

  test("comes when the place is free, and ends once", async () => {
    const first = await taken();
    const second = newTurn();
    const coming = second.take(LIMIT_MS);
    expect(counts()).toEqual([1, 1]);
    first.done();
    first.done();
    expect(await coming).toBe(true);
    expect(counts()).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(2 * LIMIT_MS);
    expect(counts()).toEqual([1, 0]);
    second.done();
    expect(counts()).toEqual([0, 0]);
  });

  test("is not waited for beyond the limit, nor by too many", async () => {
    const holder = await taken();
    const waiting = [newTurn().take(LIMIT_MS), newTurn().take(LIMIT_MS)];
    const outcomes = Promise.allSettled(waiting);
    await expect(newTurn().take(LIMIT_MS)).rejects.toMatchObject({ retryAfterSeconds: 1 });
    expect(counts()).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
    const refused = { status: "rejected", reason: { code: "ServiceUnavailable" } };
    expect(await outcomes).toMatchObject([refused, refused]);
    expect(counts()).toEqual([1, 0]);
    holder.done();
    expect(counts()).toEqual([0, 0]);
  });

  test("leaves the daemon time to hear from its clients before the next one", async () => {
    let rounds = 0;
    const again = () => {
      rounds += 1;
      listening = setImmediate(again);
    };
    let listening = setImmediate(again);
    const starts: number[] = [];
    const work = async () => {
      const turn = await taken(`tenant ${starts.length}`);
      starts.push(rounds);
      await turn.aside(async () => {});
      starts.push(rounds);
      turn.done();
    };
    await Promise.all([work(), work(), work()]);
    clearImmediate(listening);
    expect(new Set(starts).size).toBe(starts.length);
  });

  test("can be given up before it has come, and not after", async () => {
    const holder = await taken();
    const leaver = newTurn();
    const coming = leaver.take(LIMIT_MS);
    leaver.giveUp();
    expect(await coming).toBe(false);
    holder.giveUp();
    expect(counts()).toEqual([1, 0]);
  });

  test("is another's while its call waits aside", async () => {
    const caller = { turn: await taken() };
    let end = (_: string) => {};
    const waiting = aside(caller, () => new Promise<string>((resolve) => (end = resolve)));
    const other = await taken("b");
    end("the switch has answered");
    await vi.advanceTimersByTimeAsync(2 * LIMIT_MS);
    expect(counts()).toEqual([1, 1]);
    other.done();
    expect(await waiting).toBe("the switch has answered");
    expect(counts()).toEqual([1, 0]);
    caller.turn.done();
    expect(counts()).toEqual([0, 0]);
  });

  test("is had again when what was waited for fails", async () => {
    const turn = await taken();
    const failing = turn.aside(() => Promise.reject(new Error("the switch is away")));
    await expect(failing).rejects.toThrow("away");
    expect(counts()).toEqual([1, 0]);
  });

  test("is had again once all that is waited for aside has come", async () => {
    const turn = await taken();
    let end = () => {};
    const long = turn.aside(() => new Promise<void>((resolve) => (end = resolve)));
    await turn.aside(async () => {});
    expect(counts()).toEqual([0, 0]);
    end();
    await long;
    expect(counts()).toEqual([1, 0]);
  });

  test("does not come again for a call that is done", async () => {
    const turn = await taken();
    let end = () => {};
    const waiting = turn.aside(() => new Promise<void>((resolve) => (end = resolve)));
    turn.done();
    end();
    await waiting;
    expect(counts()).toEqual([0, 0]);
  });

  test("is waited for at the switch too, where nobody holds a place at the database", async () => {
    const turns = [await taken()];
    const answers: Array<(answer: string) => void> = [];
    const ask = () => new Promise<string>((resolve) => answers.push(resolve));
    const asking = [askSwitch({ turn: turns[0] }, ask)];
    for (let i = 0; i < 2; i += 1) {
      const turn = await taken();
      turns.push(turn);
      asking.push(askSwitch({ turn }, ask));
    }
    await expect(asking[2]).rejects.toMatchObject({ retryAfterSeconds: 1 });
    turns[2]?.done();
    expect(answers).toHaveLength(1);
    expect([...counts(), atSwitch.running, atSwitch.waiting]).toEqual([0, 0, 1, 1]);
    answers[0]?.("first");
    expect(await asking[0]).toBe("first");
    turns[0]?.done();
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]?.("second");
    expect(await asking[1]).toBe("second");
    turns[1]?.done();
    expect([...counts(), atSwitch.running, atSwitch.waiting]).toEqual([0, 0, 0, 0]);
  });

  test("is paused until those of others that have begun are over", async () => {
    queue = new FairQueue({ places: 4, waitingPerTenant: 2 });
    const [long, other] = [await taken("a"), await taken("b")];
    let goesOn = false;
    const pause = letOthersGoFirst({ turn: long }).then(() => (goesOn = true));
    await vi.waitFor(() => expect(counts()).toEqual([2, 0]));
    expect(goesOn).toBe(false);
    other.done();
    expect(await pause).toBe(true);
    expect(counts()).toEqual([1, 0]);
  });

  test("is nobody's business without a queue", async () => {
    expect(await aside({}, async () => "answer")).toBe("answer");
  });
});

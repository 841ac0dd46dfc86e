import { expect, it } from "vitest";
import { togetherOrApart } from "../../../src/store/apart.js";

const ITEMS = Array.from({ length: 100 }, (_, i) => i);

function failingOn(...poison: number[]) {
  const done: number[] = [];
  let calls = 0;
  const work = async (items: readonly number[]) => {
    calls += 1;
    const found = items.find((item) => poison.includes(item));
    if (found !== undefined) throw new Error(`poison ${found}`);
    done.push(...items);
  };
  return { done, work, calls: () => calls };
}

it("does all at once when nothing is wrong", async () => {
  const { done, work, calls } = failingOn();
  expect(await togetherOrApart(ITEMS, work)).toEqual([]);
  expect([done, calls()]).toEqual([ITEMS, 1]);
});

it("does all but what fails, in few steps", async () => {
  const { done, work, calls } = failingOn(0, 57);
  const failed = await togetherOrApart(ITEMS, work);
  expect(failed.map(({ item, error }) => [item, String(error)])).toEqual([
    [0, "Error: poison 0"],
    [57, "Error: poison 57"],
  ]);
  expect(done).toEqual(ITEMS.filter((item) => item !== 0 && item !== 57));
  expect(calls()).toBeLessThan(32);
});

it("does nothing with nothing", async () => {
  const { work, calls } = failingOn();
  expect(await togetherOrApart([], work)).toEqual([]);
  expect(calls()).toBe(0);
});

it("tries no part when the database is away", async () => {
  let calls = 0;
  const away = Object.assign(new Error("gone"), { code: "57P01" });
  const done = togetherOrApart(ITEMS, async () => {
    calls += 1;
    throw away;
  });
  await expect(done).rejects.toBe(away);
  expect(calls).toBe(1);
});

it("passes by a row that somebody holds, and ends when it is not one alone", async () => {
  const held = Object.assign(new Error("held"), { code: "55P03" });
  const done: number[] = [];
  const failed = await togetherOrApart(ITEMS, async (items) => {
    if (items.includes(42)) throw held;
    done.push(...items);
  });
  expect(failed).toEqual([{ item: 42, error: held }]);
  expect(done).toHaveLength(ITEMS.length - 1);
  let calls = 0;
  const all = togetherOrApart(ITEMS, async () => {
    calls += 1;
    throw held;
  });
  await expect(all).rejects.toBe(held);
  expect(calls).toBeLessThan(15);
});

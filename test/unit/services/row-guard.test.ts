import { expect, it } from "vitest";
import { eachRow, strict } from "../../../src/services/row-guard.js";
import { Setbacks } from "../../../src/services/setbacks.js";

const ROWS = ["a", "b", "c"].map((id) => ({ id }));
const away = Object.assign(new Error("gone"), { code: "57P01" });

function deal(guard: Parameters<typeof eachRow>[1], failing: ReadonlyMap<string, Error>) {
  const dealt: string[] = [];
  const done = eachRow(ROWS, guard, async ({ id }) => {
    dealt.push(id);
    const error = failing.get(id);
    if (error !== undefined) throw error;
  });
  return { dealt, done };
}

function setbacks() {
  const told: object[] = [];
  const clock = { now: 0 };
  const log = { warn: (details: object) => void told.push(details) };
  return { guard: new Setbacks(log, () => clock.now), told, clock };
}

it("passes over what fails, tells of it, and lets it wait longer each time", async () => {
  const { guard, told, clock } = setbacks();
  const failing = new Map([["a", new Error("poison")]]);
  const tries: number[] = [];
  for (; clock.now <= 8000; clock.now += 500) {
    const { dealt, done } = deal(guard, failing);
    await done;
    if (dealt.includes("a")) tries.push(clock.now);
    expect(dealt).toEqual(expect.arrayContaining(["b", "c"]));
  }
  expect(tries).toEqual([0, 1000, 3000, 7000]);
  expect(told).toHaveLength(4);
  expect(told[0]).toMatchObject({ id: "a", delayMs: 1000 });
});

it("is soon tried again once it has gone well", async () => {
  const { guard, clock } = setbacks();
  await deal(guard, new Map([["a", new Error("poison")]])).done;
  clock.now += 1000;
  await deal(guard, new Map()).done;
  expect(deal(guard, new Map()).dealt).toContain("a");
});

it("ends when the database is away, and begins with the others the next time", async () => {
  const { guard } = setbacks();
  const first = deal(guard, new Map([["a", away]]));
  await expect(first.done).rejects.toBe(away);
  expect(first.dealt).toEqual(["a"]);
  const second = deal(guard, new Map([["b", away]]));
  await expect(second.done).rejects.toBe(away);
  const third = deal(guard, new Map());
  await third.done;
  expect([second.dealt, third.dealt]).toEqual([["b"], ["c"]]);
});

it("goes on past rows that somebody holds or nobody can read, a few times", async () => {
  const troubled = (...codes: string[]) =>
    new Map(
      codes.map((code, at) => [ROWS[at]?.id ?? "", Object.assign(new Error(code), { code })]),
    );
  const some = deal(setbacks().guard, troubled("55P03", "XX001"));
  await some.done;
  expect(some.dealt).toEqual(["a", "b", "c"]);
  const { guard } = setbacks();
  const many = eachRow(
    Array.from({ length: 100 }, (_, id) => ({ id: `${id}` })),
    guard,
    async () => {
      throw Object.assign(new Error("held"), { code: "55P03" });
    },
  );
  await expect(many).rejects.toThrow("held");
  expect(["0", "1", "2", "3", "4"].map((id) => guard.isDue(id))).toEqual([
    ...[false, false, false, false],
    true,
  ]);
});

it("without anybody who looks after failures the first one ends it", async () => {
  const poison = new Error("poison");
  const { dealt, done } = deal(strict, new Map([["b", poison]]));
  await expect(done).rejects.toBe(poison);
  expect(dealt).toEqual(["a", "b"]);
});

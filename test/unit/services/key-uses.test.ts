import { expect, it } from "vitest";
import type { PrismaClient } from "../../../src/generated/prisma/client.js";
import { KeyUses } from "../../../src/services/credentials/key-uses.js";

const EARLY = new Date("2026-01-01T00:00:00.000Z");
const LATE = new Date("2026-01-01T00:00:30.000Z");

/** A database that is asked only as often as a test says what it does. */
function database(...answers: Array<() => Promise<Array<{ id: string }>>>): PrismaClient {
  const $queryRaw = () => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error("the database was asked");
    return answer();
  };
  return { $queryRaw } as unknown as PrismaClient;
}

it("has nothing to write before a use, and after it was written", async () => {
  const uses = new KeyUses();
  expect(uses.areUnwritten).toBe(false);
  uses.note("a", EARLY);
  expect(uses.areUnwritten).toBe(true);
  await uses.write(database(async () => []));
  expect([uses.areUnwritten, uses.unwritten("a")]).toEqual([false, undefined]);
});

it("keeps what could not be written for the next time", async () => {
  const uses = new KeyUses();
  uses.note("a", EARLY);
  const away = () => Promise.reject(new Error("it is away"));
  await expect(uses.write(database(away))).rejects.toThrow("it is away");
  expect(uses.unwritten("a")).toBe(EARLY);
  await uses.write(database(async () => [{ id: "a" }]));
  expect(uses.unwritten("a"), "somebody holds its row").toBe(EARLY);
  await uses.write(database(async () => []));
  expect(uses.unwritten("a")).toBeUndefined();
});

it("keeps what is noted while it writes", async () => {
  const uses = new KeyUses();
  uses.note("a", EARLY);
  const noting = async () => {
    uses.note("a", LATE);
    return [];
  };
  await uses.write(database(noting));
  expect(uses.unwritten("a")).toBe(LATE);
});

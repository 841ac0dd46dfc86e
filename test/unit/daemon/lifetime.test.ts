import { expect, test } from "vitest";
import { Lifetime, once } from "../../../src/daemon/lifetime.js";

test("parts are stopped in the opposite order, also after one that fails", async () => {
  const lifetime = new Lifetime();
  const stopped: string[] = [];
  const failures: object[] = [];
  lifetime.add("lock", async () => void stopped.push("lock"));
  lifetime.add("database", async () => {
    throw new Error("stuck");
  });
  lifetime.add("http", async () => void stopped.push("http"));
  await lifetime.end({ error: (details) => void failures.push(details) });
  expect(stopped).toEqual(["http", "lock"]);
  expect(failures).toEqual([expect.objectContaining({ step: "database" })]);
});

test("once runs its work once, and everybody gets the outcome", async () => {
  let runs = 0;
  const work = once(async () => {
    runs += 1;
    return runs;
  });
  expect(await Promise.all([work(), work()])).toEqual([1, 1]);
});

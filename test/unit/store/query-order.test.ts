import { expect, test } from "vitest";
import { inOrder } from "../../../src/store/database/query-order.js";

/** Queries that are answered when the test says so. */
function heldQueries() {
  const asked: string[] = [];
  const answers = new Map<string, { give(): void; refuse(): void }>();
  const query = inOrder((text) => {
    const name = String(text);
    asked.push(name);
    return new Promise((resolve, reject) => {
      const give = () => resolve(name);
      answers.set(name, { give, refuse: () => reject(new Error(`not ${name}`)) });
    });
  });
  return { query, asked, answers };
}

test("queries are asked one after another, whatever becomes of them", async () => {
  const { query, asked, answers } = heldQueries();
  const results = ["a", "b", "c"].map((name) => query(name));
  expect(asked).toEqual(["a"]);
  answers.get("a")?.give();
  await expect.poll(() => asked).toEqual(["a", "b"]);
  answers.get("b")?.refuse();
  await expect.poll(() => asked).toEqual(["a", "b", "c"]);
  answers.get("c")?.give();
  const outcomes = await Promise.allSettled(results);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("with nothing under way a query is asked at once", async () => {
  const { query, asked, answers } = heldQueries();
  for (const name of ["a", "b"]) {
    const result = query(name);
    expect(asked.at(-1)).toBe(name);
    answers.get(name)?.give();
    expect(await result).toBe(name);
  }
});

test("what tells a callback is left as it is", () => {
  const answers: unknown[] = [];
  const query = inOrder((text, callback) => (callback as (answer: unknown) => void)(text));
  query("a", (answer: unknown) => answers.push(answer));
  expect(answers).toEqual(["a"]);
});

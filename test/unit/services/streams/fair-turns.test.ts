import { expect, it } from "vitest";
import { FairTurns } from "../../../../src/services/streams/fair-turns.js";

/** Works that end when they are told to. */
function works() {
  const begun: string[] = [];
  const ends: Array<() => void> = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.push(() => resolve(name)));
  };
  return { begun, ends, work };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it("lets so many work at a time, and goes round among those in line", async () => {
  const turns = new FairTurns<string>(2);
  const { begun, ends, work } = works();
  const storm = Array.from({ length: 6 }, (_, i) => turns.run("many", work(`many ${i}`)));
  const one = turns.run("one", work("one"));
  await settle();
  expect(begun).toEqual(["many 0", "many 1"]);
  ends[0]?.();
  await settle();
  ends[1]?.();
  await settle();
  expect(begun).toEqual(["many 0", "many 1", "many 2", "one"]);
  for (let at = 2; at < 7; at += 1) {
    ends[at]?.();
    await settle();
  }
  expect(await Promise.all([...storm, one])).toHaveLength(7);
  expect(begun).toHaveLength(7);
});

it("passes the turn on when a work fails", async () => {
  const turns = new FairTurns<string>(1);
  const failing = turns.run("a", async () => {
    throw new Error("no");
  });
  const next = turns.run("b", async () => "done");
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("done");
  expect(await turns.run("a", async () => "again")).toBe("again");
});

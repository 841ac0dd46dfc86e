import { describe, expect, it } from "vitest";
import { inTurn, makeRow } from "../../../scripts/bench/rows.mjs";

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("a row of the benchmarks", () => {
  it("quotes the median, and the time that 99 of 100 runs do not exceed", () => {
    const row = makeRow({ name: "accept", unit: "ms", values: upTo(100).reverse() });
    expect(row).toMatchObject({ median: 50.5, p99: 99, runs: 100 });
    expect(row).not.toHaveProperty("ratio");
    expect(row).not.toHaveProperty("aim");
  });

  it("quotes of rates the one that 99 of 100 runs reach", () => {
    const row = makeRow({ name: "reads", unit: "/s", better: "higher", values: upTo(100) });
    expect(row).toMatchObject({ median: 50.5, p99: 1 });
  });

  it("compares the two sides run by run, so that a slow minute counts for neither", () => {
    const beside = { name: "bare", values: [1, 2, 40] };
    const row = makeRow({ name: "ours", unit: "ms", values: [2, 4, 80], beside });
    expect(row).toMatchObject({ median: 4, beside: { name: "bare", median: 2 }, ratio: 2 });
    const changing = { name: "bare", values: [1, 10, 100] };
    const slower = makeRow({ name: "ours", unit: "ms", values: [30, 20, 100], beside: changing });
    expect(slower.ratio).toBe(2);
  });

  it("compares nothing with runs that are not there", () => {
    const beside = { name: "bare", values: [1] };
    expect(() => makeRow({ name: "ours", unit: "ms", values: [1, 2], beside })).toThrow(/2 runs/);
  });

  it.each([
    [{ atMost: 2 }, "≤ 2", true],
    [{ atMost: 1.9 }, "≤ 1.9", false],
    [{ atLeast: 2 }, "≥ 2", true],
    [{ atLeast: 2.1 }, "≥ 2.1", false],
  ])("judges the ratio by its aim %j", (aim, text, met) => {
    const beside = { name: "bare", values: [10] };
    expect(makeRow({ name: "ours", unit: "ms", values: [20], beside, aim })).toMatchObject({
      aim: text,
      met,
    });
  });

  it("judges the median where nothing stands beside it", () => {
    const row = makeRow({ name: "start", unit: "s", values: [3], aim: { atMost: 5 } });
    expect(row.met).toBe(true);
  });
});

describe("measuring in turn", () => {
  it("lets each side begin as often as the other, and keeps the order of runs", async () => {
    const asked: string[] = [];
    const side = (name: string) => async (run: number) => {
      asked.push(name);
      return run;
    };
    const found = await inTurn(3, { a: side("a"), b: side("b") });
    expect(asked.join("")).toBe("abbaab");
    expect(found).toEqual({ a: [0, 1, 2], b: [0, 1, 2] });
  });
});

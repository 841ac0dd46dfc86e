import { describe, expect, it } from "vitest";
import { readOptions } from "../../../scripts/bench-fairness/options.mjs";
import { describe as describeResults, rowOf } from "../../../scripts/bench-fairness/report.mjs";

const SCENARIOS = ["reads", "lists", "writes"];
const read = (...args: string[]) => readOptions(args, SCENARIOS);

describe("the options of the benchmark of fairness", () => {
  it("measures everything on the embedded database, with limits of rates", () => {
    const expected = { seconds: 10, rounds: 3, postgres: false, rateLimit: true, only: SCENARIOS };
    expect(read()).toMatchObject(expected);
  });

  it("lets a quick run be made longer", () => {
    expect(read("--quick", "--rounds", "2")).toMatchObject({ seconds: 2, rounds: 2 });
  });

  it("takes scenarios in their own order", () => {
    const options = read("--only", "writes,reads", "--postgres", "--no-rate-limit");
    expect(options).toMatchObject({ only: ["reads", "writes"], postgres: true, rateLimit: false });
  });

  it.each([
    ["--seconds", "0"],
    ["--rounds", "many"],
    ["--only", "creates"],
    ["--embedded", "yes"],
  ])("refuses %s %s", (name, value) => expect(() => read(name, value)).toThrow(name));
});

const NINETY_NINE = Array.from({ length: 99 }, () => 10);

function row(attackedMs: number[]) {
  const idle = { reads: NINETY_NINE, writes: NINETY_NINE };
  const attacked = { reads: attackedMs, writes: NINETY_NINE };
  const about = { name: "lists", title: "lists at once", loadBefore: 0.5 };
  return rowOf({ ...about, idle, attacked, answers: { 200: 7 }, refused: 0 });
}

describe("a row of the benchmark of fairness", () => {
  it("sets what calls took under attack beside what they took at rest", () => {
    const { reads } = row([...NINETY_NINE, 5000].map((ms) => 2 * ms));
    expect(reads).toMatchObject({ medianRatio: 2, p99Ratio: 2, isMet: true });
    expect(reads.attacked).toEqual({ median: 20, p99: 20, calls: 100 });
  });

  it("holds the aim against the ratio and against the time", () => {
    expect(row(NINETY_NINE.map((ms) => 4 * ms)).reads.isMet).toBe(false);
    const slow = NINETY_NINE.map((ms) => 20 * ms);
    const about = { name: "lists", title: "", loadBefore: 0, answers: {}, refused: 0 };
    const times = { reads: slow, writes: slow };
    expect(rowOf({ ...about, idle: times, attacked: times }).reads.isMet).toBe(false);
  });

  it("is told with what the attack was answered, and whether the other tenant was", () => {
    const machine = { cpus: 2, cpu: "one", loadBefore: 0.1, loadAfter: 2 };
    const common = { engine: "embedded", machine, options: { rateLimit: true } };
    const text = describeResults({ ...common, rows: [{ ...row(NINETY_NINE), refused: 3 }] });
    expect(text).toMatch(/reads beside lists +99 +10\.0 +10\.0 +1\.00 .* met +0\.5/);
    expect(text).toContain('lists (lists at once): {"200":7}; 3 calls of the other tenant FAILED');
  });
});

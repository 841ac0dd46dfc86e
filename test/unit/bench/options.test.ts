import { describe, expect, it } from "vitest";
import { readOptions } from "../../../scripts/bench/options.mjs";

const SECTIONS = ["accept", "reads", "creates"];
const read = (...args: string[]) => readOptions(args, SECTIONS);

describe("the options of the benchmarks", () => {
  it("measures everything thirty times unless told otherwise", () => {
    expect(read()).toMatchObject({ runs: 30, bridges: [2, 100, 300], only: SECTIONS });
  });

  it("lets a quick run be made longer", () => {
    expect(read("--quick", "--runs", "5")).toMatchObject({ quick: true, runs: 5, seconds: 1 });
  });

  it("takes sections and sizes in their own order", () => {
    const options = read("--only", "creates,accept", "--bridges", "30,3");
    expect(options).toMatchObject({ only: ["accept", "creates"], bridges: [3, 30] });
  });

  it.each([
    ["--runs", "0"],
    ["--runs", "many"],
    ["--bridges", "1,2"],
    ["--only", "writes"],
    ["--sections", "reads"],
  ])("refuses %s %s", (name, value) => expect(() => read(name, value)).toThrow(name));
});

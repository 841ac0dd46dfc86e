import { describe, expect, it } from "vitest";
import { makeRow } from "../../../scripts/bench/rows.mjs";
import { figure, markdownTable, textTable, verdict } from "../../../scripts/bench/tables.mjs";

const beside = { name: "dump-flows", values: [100] };
const aim = { atMost: 1.5 };
const missed = makeRow({ name: "compared", unit: "ms", values: [200], beside, aim });
const met = makeRow({ name: "compared", unit: "ms", values: [120], beside, aim });
const plain = makeRow({ name: "accept", unit: "ms", values: [12.345] });

describe("the tables of the benchmarks", () => {
  it.each([
    [0.12345, "0.123"],
    [9.999, "10.0"],
    [99.96, "100"],
    [1234.5, "1,235"],
    [0, "0"],
  ])("writes %d as %s", (value, text) => expect(figure(value)).toBe(text));

  it("says in capitals where an aim is missed", () => {
    const lines = textTable({ title: "Resync", rows: [missed, met, plain] });
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/compared, ms .*200 .*dump-flows .*100 +2\.00 +≤ 1\.5 MISSED$/);
    expect(lines[2]).toMatch(/1\.20 +≤ 1\.5 met$/);
    expect(lines[3]).toMatch(/accept, ms +12\.3 +12\.3 +1$/);
  });

  it("has as many cells in every line for the documents", () => {
    const lines = markdownTable({ title: "Resync", rows: [missed, plain] });
    expect(lines[0]).toBe("| Resync | median | p99 | runs | beside | its median | ratio | aim |");
    expect(lines[2]).toBe(
      "| compared, ms | 200 | 200 | 1 | dump-flows | 100 | 2.00 | ≤ 1.5 MISSED |",
    );
    expect(new Set(lines.map((line) => line.split("|").length)).size).toBe(1);
  });

  it("tells of a section that could not be measured", () => {
    const skipped = { title: "Resync", rows: [], skipped: "it needs root" };
    expect(textTable(skipped).join()).toContain("SKIPPED: it needs root");
    expect(markdownTable(skipped).join()).toContain("it needs root");
  });

  it("lists the aims that were missed", () => {
    expect(verdict([{ rows: [met, plain] }])).toEqual(["Aims met: 1 of 1."]);
    const lines = verdict([{ rows: [met] }, { rows: [missed] }]);
    expect(lines).toEqual(["Aims MISSED: 1 of 2:", "  compared: 2.00, where ≤ 1.5 was aimed at"]);
  });
});

import { expect, it } from "vitest";
import { digestOf, reportOf } from "../../faults/report.js";
import { newSummary } from "../../faults/summary.js";

const embedded = newSummary("embedded", "npm run test:faults -- --seed 7");
embedded.kinds["kill -9 the daemon"] = { count: 2, recovery: [10, 30, 20] };
embedded.cuts = [5];
const other = newSummary("PostgreSQL", "npm run test:faults -- --seed 7");
other.kinds["restart PostgreSQL"] = { count: 1, recovery: [] };

it("shows all runs side by side, also for kinds that only one of them knows", () => {
  const lines = reportOf([embedded, other]).split("\n");
  const row = (title: string) => lines.find((line) => line.startsWith(title))?.split(/ {2,}/);
  expect(row("kill -9 the daemon")).toEqual(["kill -9 the daemon", "2 x 20 ms, 30 ms", "-"]);
  expect(row("restart PostgreSQL")).toEqual(["restart PostgreSQL", "-", "1 x -, -"]);
  expect(row("all faults")).toEqual(["all faults", "2 x 20 ms, 30 ms", "1 x -, -"]);
});

it("tells programs figures in place of every single time", () => {
  expect(digestOf(embedded)).toMatchObject({
    database: "embedded",
    faults: {
      count: 2,
      p50Ms: 20,
      p99Ms: 30,
      mostMs: 30,
      kinds: { "kill -9 the daemon": { count: 2, p50Ms: 20 } },
    },
    deletions: { p50Ms: 5 },
    probesLeaked: 0,
  });
});

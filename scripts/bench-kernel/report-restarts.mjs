import { inColumns, median } from "../lib/bench-figures.mjs";

const seconds = (values) => {
  const [middle, most] = [median(values), Math.max(...values)];
  return `${(middle / 1000).toFixed(2)} (${(most / 1000).toFixed(2)})`;
};

export function restartTable(restarts) {
  const rows = restarts.map(({ vpcs, waiting, away, gap, keptFor }) => [
    `${vpcs} VPCs${waiting ? ", told to wait for its flows" : ""}`,
    String(gap.length),
    seconds(away),
    seconds(gap),
    seconds(keptFor),
  ]);
  const title = "ovs-vswitchd killed and started: s, median (longest)";
  const heading = [title, "runs", "without packets while away", "after its start", "which begins"];
  return inColumns([heading, ...rows]).join("\n");
}

/** Sums of all runs: one packet that must not pass is one too many. */
export function waitingTables({ cut, replaced }) {
  const cutRows = [false, true].map((waiting) => {
    const of = cut.filter((each) => each.waiting === waiting);
    return [waiting ? "told to wait" : "as ever", ...CUT_COLUMNS.map((name) => sum(of, name))];
  });
  const ways = [...new Set(replaced.map(({ way }) => way))];
  const replacedRows = ways.map((way) => {
    const of = replaced.filter((each) => each.way === way);
    const last = Math.max(...of.map(({ lastStrayMs }) => lastStrayMs));
    return [way, String(of.length), sum(of, "strays"), last.toFixed(0)];
  });
  return [
    inColumns([["a peering cut while it is away: packets", ...CUT_HEADING], ...cutRows]),
    inColumns([["a port replaced by a stranger's", "runs", "strays", "last, ms"], ...replacedRows]),
  ].map((lines) => lines.join("\n"));
}

const CUT_COLUMNS = [
  "passedAfterDelete",
  "passedAfterStart",
  "passedAfterWaiting",
  "passedAfterDeleted",
];
const CUT_HEADING = ["after the call", "after its start", "after the wait", "after `deleted`"];

const sum = (found, name) => String(found.reduce((total, each) => total + each[name], 0));

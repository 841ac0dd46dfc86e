import { median, table } from "../lib/bench-figures.mjs";
import { bold, out } from "../lib/terminal.mjs";

const inSeconds = (ms) => (ms / 1000).toFixed(2);
const sized = ({ vpcs, peerings, interfaces }) =>
  `${vpcs} VPCs, ${peerings} peerings, ${interfaces} interfaces`;

export function reportStored({ engine, hotPath, comparing, starts }, { runs }) {
  out(bold(`\n${engine}, no-op backend: one peering, ${runs} runs in turn, ms`));
  hotPathTable(hotPath);
  comparingTable(comparing);
  out(bold(`${engine}: start, s, and memory of the daemon, MiB`));
  table([
    ["", "ready", "programmed", "started", "garbage collected", "peak"],
    ...starts.map((start) => [
      `${start.name}: ${sized(start.size)}`,
      ...[start.readyMs, start.programmedMs].map(inSeconds),
      ...[start.startedMiB, start.collectedMiB, start.peakMiB].map(String),
    ]),
  ]);
}

function hotPathTable(hotPath) {
  const rows = [["", "request", "p99", "accept ?wait", "p99", "max", "delete ?wait", "p99"]];
  for (const { name, request, accept, delete: removal } of hotPath) {
    const figures = [request.median, request.p99, accept.median, accept.p99, accept.max];
    figures.push(removal.median, removal.p99);
    rows.push([name, ...figures.map((ms) => ms.toFixed(1))]);
  }
  table(rows);
}

function comparingTable({ comparisons, requests, accepts }) {
  out(bold("While everything is being compared, as at each resync: median and longest, ms"));
  const both = ({ median, max }) => `${median.toFixed(0)} and ${max.toFixed(0)}`;
  out(`  request ${both(requests)}, accept ?wait ${both(accepts)}`);
  out(`  the comparison itself ${both(comparisons)}\n`);
}

export function reportSwitch({ size, empty, full, restarts, hotPath, comparing }, { runs }) {
  out(bold(`\nOpen vSwitch, embedded database: ${sized(size)}, none plugged in`));
  table([
    ["start over", "ready, s", "programmed, s", "flows", ...Object.keys(empty.usage)],
    ...Object.entries({ "an empty switch": empty, "a full one": full }).map(([name, start]) => [
      name,
      ...[start.readyMs, start.programmedMs].map(inSeconds),
      String(start.flows),
      ...Object.values(start.usage).map(({ rssMiB, peakMiB }) => `${rssMiB} (${peakMiB}) MiB`),
    ]),
  ]);
  reportRestarts(restarts);
  out(bold(`One peering, ${runs} runs in turn, ms`));
  hotPathTable(hotPath);
  comparingTable(comparing);
}

function reportRestarts({ restoredMs, awayMs, bridges, flows }) {
  const medians = [restoredMs, awayMs].map((values) => inSeconds(median(values)));
  out(bold(`ovs-vswitchd killed ${awayMs.length} times: ${flows} flows on ${bridges} bridges`));
  out(`  all are back ${medians[0]} s after it answers, ${medians[1]} s after it was killed\n`);
}

export function reportMesh({ vpcs, peerings, clients, answeredMs, activeMs, before, after }) {
  out(bold(`\nA mesh of ${vpcs} VPCs on Open vSwitch: ${peerings} peerings by ${clients} clients`));
  const passes = after.reconcile_passes_total - before.reconcile_passes_total;
  out(`  all answered after ${inSeconds(answeredMs)} s, all active after ${inSeconds(activeMs)} s`);
  out(`  ${passes} passes, ${(peerings / passes).toFixed(1)} peerings a pass`);
  out(`  flows: ${before.flows} before, ${after.flows} after\n`);
  usageTable(before.usage, after.usage);
}

function usageTable(before, after) {
  table([
    ["", "CPU s", "RSS before, MiB", "after", "peak"],
    ...Object.entries(after).map(([name, { cpuMs, rssMiB, peakMiB }]) => {
      const since = inSeconds(cpuMs - before[name].cpuMs);
      return [name, since, ...[before[name].rssMiB, rssMiB, peakMiB].map(String)];
    }),
  ]);
}

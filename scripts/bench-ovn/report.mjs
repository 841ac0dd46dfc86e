import { inColumns } from "../lib/bench-figures.mjs";

/** @returns {string} the results for people: tables, what differs between the sides, the aims */
export function describe(results) {
  return [
    heading(results),
    ...results.sizes.map(sizeTable),
    ...(results.mesh ? [meshTable(results.mesh)] : []),
    ["How the two were run:", ...results.conditions.map((line) => `  - ${line}`)].join("\n"),
    verdicts(results.aims),
  ].join("\n\n");
}

function heading({ versions, runs }) {
  const { ovn, ovs, node, cpus, cpu, loadBefore } = versions;
  return (
    `Patchbay beside OVN ${ovn}, Open vSwitch ${ovs}, Node ${node}, ${cpus} CPUs (${cpu})\n` +
    `${runs} runs a side, alternating; median (p99); ratio: Patchbay / OVN\n` +
    `load of the machine before: ${loadBefore}`
  );
}

function sizeTable({ vpcs, patchbay, ovn, throughputGbps, growSeconds, othersPercent }) {
  const times = (name, label) => row(label, patchbay[name], ovn[name], spread);
  return table(`${vpcs} VPCs${alone(othersPercent)}`, [
    times("installedMs", "request to installed, ms"),
    ["  accept ?wait alone, ms", spread(patchbay.acceptMs), "", ""],
    times("firstPacketMs", "request to first packet, ms"),
    times("removedMs", "delete to removed, ms"),
    row("CPU, made and removed, ms (mean)", patchbay.cpuMsMean, ovn.cpuMsMean, decimal),
    row("OpenFlow flows, no peering", patchbay.flows, ovn.flows, whole),
    row("memory (PSS), MiB", patchbay.pssMiB, ovn.pssMiB, whole),
    row("making the VPCs, s", growSeconds.patchbay, growSeconds.ovn, decimal),
    ...(throughputGbps ? [rates(throughputGbps)] : []),
  ]);
}

function meshTable({ vpcs, peerings, patchbay, ovn }) {
  const of = (name, label, format) => row(label, patchbay[name], ovn[name], format);
  const others = Math.max(patchbay.othersPercent, ovn.othersPercent);
  return table(`Mesh of ${vpcs} VPCs, ${peerings} peerings${alone(others)}`, [
    of("seconds", "until all are installed, s", decimal),
    of("cpuSeconds", "CPU, s", decimal),
    of("flows", "OpenFlow flows", whole),
    of("pssMiB", "memory (PSS), MiB", whole),
    of("pssMiBBefore", "memory before the mesh, MiB", whole),
  ]);
}

/** A little is the machine's own housekeeping. */
const QUIET_PERCENT = 10;

const alone = (others) => (others > QUIET_PERCENT ? ` (NOISY: others took ${others} % CPU)` : "");

const rates = ({ patchbay, ovn }) =>
  row("throughput, one TCP stream, Gbit/s", patchbay, ovn, ({ median }) => median.toFixed(2));

const spread = ({ median, p99 }) => `${median.toFixed(1)} (${p99.toFixed(1)})`;
const decimal = (value) => value.toFixed(1);
const whole = (value) => Math.round(value).toLocaleString("en-US");

function row(label, ours, theirs, format) {
  const ratio = (ours.median ?? ours) / (theirs.median ?? theirs);
  return [label, format(ours), format(theirs), Number.isFinite(ratio) ? ratio.toFixed(2) : "–"];
}

function table(title, rows) {
  const [heading, ...lines] = inColumns([[title, "Patchbay", "OVN", "ratio"], ...rows]);
  return [heading, ...lines.map((line) => `  ${line}`)].join("\n");
}

function verdicts(aims) {
  if (aims.length === 0) return "No aim speaks of what was measured.";
  const lines = aims.map(({ aim, wanted, found, verdict }) =>
    `  ${verdict.toUpperCase().padEnd(6)}  ${aim}: ${found} (wanted: ${wanted})`.trimEnd(),
  );
  return ["Aims:", ...lines].join("\n");
}

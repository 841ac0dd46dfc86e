import { inColumns, median } from "../lib/bench-figures.mjs";
import { SMALL } from "../lib/bench-iperf.mjs";
import { aimsOf, ratioOf } from "./aims.mjs";
import { restartTable, waitingTables } from "./report-restarts.mjs";

const NAMES = {
  bridge: "Linux bridge",
  plain: "plain Open vSwitch (NORMAL)",
  "plain-ct": "the same, one conntrack lookup",
  "plain-ct-twice": "the same, two conntrack lookups",
  inside: "inside a VPC",
  peering: "across a peering",
};

/** @returns {string} the results for people */
export function describe(results) {
  const { throughput, restarts, waiting, ovn } = results;
  return [
    heading(results),
    ...(throughput ? throughputTables(results) : []),
    ...(restarts ? [restartTable(restarts)] : []),
    ...(waiting ? waitingTables(waiting) : []),
    ...(ovn ? [`Beside OVN:\n${ovn.text}`] : []),
    verdicts(aimsOf(results)),
  ].join("\n\n");
}

function heading({ machine, host, options, idlePercent }) {
  const { cpus, cpu, kernel, node, ovs } = machine;
  const { loadBefore } = host ?? machine;
  const idle =
    idlePercent === undefined ? [] : [`busy while nothing is measured: ${idlePercent} %`];
  return [
    `${options.datapath === "system" ? "Kernel" : "Userspace"} datapath, Open vSwitch ${ovs}, ` +
      `Linux ${kernel}, Node ${node}, ${cpus} CPU${cpus > 1 ? "s" : ""} (${cpu})`,
    ...(cpu === "UML" ? ["In User-Mode Linux ratios mean something, rates do not."] : []),
    [`load before: ${loadBefore}`, ...idle].join("; "),
    ...(options.quick ? ["QUICK: this shows that it works, and nothing else."] : []),
  ].join("\n");
}

function throughputTables({ throughput, options }) {
  return options.offloads.map((offload) => {
    const found = throughput.filter((each) => each.offload === offload);
    const title = `offload ${offload}: medians of ${options.rounds} rounds of ${options.seconds} s`;
    const heading = [title, "TCP Gbit/s", "of plain", "a CPU s, of plain"];
    heading.push(`UDP ${SMALL} B/s`, "of plain", "CPU µs");
    const rows = found.map((entry) => throughputRow(entry, plainOf(found, entry)));
    return inColumns([[...heading, "lookups", "masks", "flows"], ...rows]).join("\n");
  });
}

const plainOf = (found, { vpcs }) =>
  found.find(({ path, vpcs: its }) => path === "plain" && its === vpcs);

function throughputRow(entry, plain) {
  const cost = (name) => median(entry.cost.map((each) => each[name]));
  const none = entry.path === "bridge";
  return [
    `${entry.vpcs} VPCs: ${NAMES[entry.path]}`,
    (median(entry.tcp) / 1e9).toFixed(3),
    ratioOf(entry.tcp, plain.tcp).toFixed(2),
    ratioOf(entry.tcpCpu, plain.tcpCpu).toFixed(2),
    Math.round(median(entry.packets)).toLocaleString("en"),
    ratioOf(entry.packets, plain.packets).toFixed(2),
    median(entry.packetUs).toFixed(1),
    none ? "" : cost("lookupsAPacket").toFixed(1),
    none ? "" : cost("masksALookup").toFixed(1),
    none ? "" : String(cost("flows")),
  ];
}

function verdicts(aims) {
  if (aims.length === 0) return "No aim speaks of what was measured.";
  const lines = aims.map(({ text, found, aim, met }) => {
    return `  ${met ? "met   " : "MISSED"}  ${text}: ${found} (${aim})`;
  });
  return ["Aims, by medians of the ratios within a round:", ...lines].join("\n");
}

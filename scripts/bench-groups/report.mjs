import { median, percentile, table } from "../lib/bench-figures.mjs";
import { SMALL } from "../lib/bench-iperf.mjs";
import { bold, green, out, red } from "../lib/terminal.mjs";
import { RULE_COUNTS, ratioOf } from "./throughput.mjs";

const LEAST_OF_PLAIN = 0.9;
const LEAST_ACROSS_PEERING = 0.97;
const LONGEST_JOIN_MS = 50;

const NAMES = {
  plain: "plain switching: port to port",
  normal: "plain switching: NORMAL",
  inside: "inside one VPC, no further rules",
  "peered-0": "two VPCs, one rule for all (*)",
  "peered-10": "two VPCs, 10 rules each way",
  "peered-1000": "two VPCs, 1,000 rules each way",
};

const CHANGES = {
  join: "a bound interface joins (PATCH)",
  leave: "it leaves (PATCH)",
  addRule: "a rule is added (POST)",
  removeRule: "it is removed (DELETE)",
  plugIn: "a member is plugged in (ovs-vsctl)",
  unplug: "it is unplugged (ovs-vsctl)",
};

export function reportThroughput(found, { rounds, seconds }) {
  out(bold(`\nThroughput: medians of ${rounds} rounds, ${seconds} s each; beside: of one round`));
  throughputTable(found, "tcp", "packets");
  out(bold("The same for each second that ovs-vswitchd computed"));
  throughputTable(found, "tcpCpu", "packetsCpu");
  out("  (*) nothing passes without any rule: this is the least that lets packets through");
  out(
    "  packets/s: those that arrived; iperf3 sends as many as it can, and competes for the cores",
  );
  return throughputAims(found);
}

function throughputTable(found, tcpKind, packetsKind) {
  const rows = [["", "TCP Gbit/s", "beside plain", `UDP ${SMALL} B packets/s`, "beside plain"]];
  for (const [name, { [tcpKind]: tcp, [packetsKind]: packets }] of Object.entries(found)) {
    rows.push([
      NAMES[name],
      (median(tcp) / 1e9).toFixed(3),
      ratioText(tcp, found.plain[tcpKind]),
      Math.round(median(packets)).toLocaleString("en"),
      ratioText(packets, found.plain[packetsKind]),
    ]);
  }
  table(rows);
}

function ratioText(values, base) {
  const { median: middle, lowest, highest } = ratioOf(values, base);
  return `${middle.toFixed(3)} (${lowest.toFixed(2)}–${highest.toFixed(2)})`;
}

function throughputAims(found) {
  const compare = (text, kind, name, base, least) => {
    const { median: ratio } = ratioOf(found[name][kind], found[base][kind]);
    const aim = `at least ${least}`;
    return { text, found: ratio.toFixed(3), aim, met: ratio >= least };
  };
  return [
    ...RULE_COUNTS.map((rules) =>
      compare(`TCP, ${rules} rules, of plain`, "tcp", `peered-${rules}`, "plain", LEAST_OF_PLAIN),
    ),
    ...["tcp", "packets"].map((kind) => {
      const text = `${kind}, across a peering, of inside`;
      return compare(text, kind, "peered-0", "inside", LEAST_ACROSS_PEERING);
    }),
  ];
}

export function reportScale(found, { interfaces, rules, runs }) {
  const { pluggedMs, programmedMs, anewMs, flows, tables, joinNeeds, changes } = found;
  out(bold(`\nOne group: ${interfaces} interfaces in it, ${rules} rules`));
  const inTables = tables.map(([number, count]) => `${number}: ${count}`).join(", ");
  out(`  flows on the bridge: ${flows} (${(flows / interfaces).toFixed(2)} an interface)`);
  out(`    by table: ${inTables}`);
  out(`  all ports plugged in at once: ovs-vsctl ${inSeconds(pluggedMs)}`);
  out(`    until all have their flows: ${inSeconds(programmedMs)}`);
  out(`  all flows read, written anew and confirmed: ${inSeconds(anewMs)}\n`);
  out(bold(`One change: ${runs} runs, milliseconds until the switch was confirmed to follow`));
  const rows = [["", "answered", "applied", "p90", "p99", "daemon's CPU", "flows touched"]];
  for (const [name, { answered, applied, computed, touched }] of Object.entries(changes)) {
    const figures = [median(answered), ...[0.5, 0.9, 0.99].map((p) => percentile(applied, p))];
    figures.push(median(computed));
    rows.push([CHANGES[name], ...figures.map((ms) => ms.toFixed(1)), spread(touched)]);
  }
  table(rows);
  return scaleAims(changes.join, joinNeeds);
}

const inSeconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

function spread(counts) {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least}–${most}`;
}

function scaleAims({ applied, touched }, needed) {
  const ms = median(applied);
  const most = Math.max(...touched);
  return [
    {
      text: "one member joins, ms until applied",
      found: ms.toFixed(1),
      aim: `under ${LONGEST_JOIN_MS}`,
      met: ms < LONGEST_JOIN_MS,
    },
    {
      text: "one member joins, flows touched",
      found: String(most),
      aim: `needed: ${needed}`,
      met: most <= needed,
    },
  ];
}

export function reportAims(aims) {
  out(bold("\nAims, by medians"));
  for (const { text, found, aim, met } of aims) {
    out(`  ${met ? green("met   ") : red("missed")}  ${text}: ${found} (${aim})`);
  }
}

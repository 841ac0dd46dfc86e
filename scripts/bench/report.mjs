import { markdownTable, textTable, verdict } from "./tables.mjs";

const ELSEWHERE = [
  "Measured by themselves: npm run bench:kernel (the kernel datapath), bench:ovn (beside OVN),",
  "bench:groups (security groups), bench:drift (repairs), bench:secrets (what times tell),",
  "bench:scale (the hot path, memory and start among 10,000 peerings).",
];

const READING = [
  "p99: 99 of 100 runs are as good or better. ratio: the median of the ratios of single runs,",
  "both sides measured in turn.",
];

/** @returns {string} the results for people */
export function describe({ machine, options, sections }) {
  const facts = machineFacts(machine).map(([what, value]) => `${what}: ${value}`);
  const quick = options.quick ? ["QUICK: this shows that it works, and nothing else."] : [];
  const blocks = [[...facts, ...READING, ...quick], ...sections.map(textTable)];
  return inBlocks([...blocks, verdict(sections), ELSEWHERE]);
}

/** @returns {string} the same for docs/benchmarks.md, with the headings that it has there */
export function describeInMarkdown({ machine, sections }) {
  const facts = machineFacts(machine).map(([what, value]) => `| ${what} | ${value} |`);
  const tables = sections.flatMap((section) => [[`### ${section.name}`], markdownTable(section)]);
  return inBlocks([["## The machine"], ["| | |", "|---|---|", ...facts], ...tables]);
}

const inBlocks = (blocks) => blocks.map((lines) => lines.join("\n")).join("\n\n");

function machineFacts({ cpus, cpu, memoryGiB, kernel, node, ovs, loadBefore, loadAfter }) {
  return [
    ["processors", `${cpus}, ${cpu}`],
    ["memory", `${memoryGiB} GiB`],
    ["Linux, Node.js, Open vSwitch", `${kernel}, ${node}, ${ovs ?? "none"}`],
    ["load before and after", `${loadBefore}, ${loadAfter}`],
  ];
}

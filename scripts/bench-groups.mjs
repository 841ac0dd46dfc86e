#!/usr/bin/env node
// Prints what security groups cost: throughput beside plain switching on the same datapath, flows
// and time for a large group, and small changes to it. Needs root; build first. `--help` lists the
// options.
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { reportAims, reportScale, reportThroughput } from "./bench-groups/report.mjs";
import { measureScale } from "./bench-groups/scale.mjs";
import { measureThroughput } from "./bench-groups/throughput.mjs";
import { runBench, withUndo } from "./lib/bench-run.mjs";
import { makeStage } from "./lib/bench-stage.mjs";
import { ROOT, run } from "./lib/process.mjs";
import { dim, note, out } from "./lib/terminal.mjs";

const USAGE = `npm run bench:groups -- [OPTION...]
  --rounds N       rounds of throughput (5)
  --seconds N      seconds of each measurement in a round (3)
  --interfaces N   members of the large group, all of them bound (1000)
  --rules N        rules of the large group (50)
  --runs N         runs of each small change (50)
  --quick          3 rounds of 1 s, 200 interfaces, 10 runs
  --only PART      throughput or scale
  --json FILE      writes every value down`;

const FULL = { rounds: 5, seconds: 3, interfaces: 1000, rules: 50, runs: 50 };
const QUICK = { rounds: 3, seconds: 1, interfaces: 200, rules: 50, runs: 10 };

const DAEMON = { PATCHBAY_QUOTA_RULES_PER_DIRECTION: "2000" };

const PARTS = {
  throughput: { measure: measureThroughput, report: reportThroughput },
  scale: { measure: measureScale, report: reportScale },
};

function readOptions() {
  const numbers = Object.keys(FULL);
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(numbers.map((name) => [name, { type: "string" }])),
      quick: { type: "boolean" },
      only: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const sizes = { ...(values.quick ? QUICK : FULL) };
  for (const name of numbers.filter((each) => values[each] !== undefined)) {
    sizes[name] = Number(values[name]);
    if (!(Number.isInteger(sizes[name]) && sizes[name] > 0)) {
      throw new Error(`--${name} ${values[name]}: expected a whole number above 0`);
    }
  }
  if (values.only !== undefined && !(values.only in PARTS)) {
    throw new Error(`--only ${values.only}: expected ${Object.keys(PARTS).join(" or ")}`);
  }
  return { ...values, sizes, parts: values.only ? [values.only] : Object.keys(PARTS) };
}

/** Each part has a switch and a daemon of its own: a thousand ports slow every packet down. */
async function measurePart(name, sizes, signal) {
  const progress = (text) => note(`${name}: ${text}`);
  return withUndo(async (undo) => {
    const stage = await makeStage(undo, signal, DAEMON);
    undo.add(() => progress("cleaning up"));
    return PARTS[name].measure(stage, sizes, progress);
  });
}

async function main(signal) {
  const { sizes, parts, json, help } = readOptions();
  if (help) return out(USAGE);
  await run(join(ROOT, "ovs/install.sh"), ["iperf3"], { show: true, signal });
  const result = { sizes, started: new Date().toISOString(), loadBefore: loadavg() };
  const aims = [];
  for (const name of parts) {
    result[name] = await measurePart(name, sizes, signal);
    aims.push(...PARTS[name].report(result[name], sizes));
  }
  reportAims(aims);
  const loads = [result.loadBefore, loadavg()].map(([minute]) => minute.toFixed(1));
  out(dim(`\nThe machine's load was ${loads.join(" before and ")} after.`));
  if (json) writeFileSync(json, `${JSON.stringify({ ...result, aims }, null, 2)}\n`);
}

await runBench(main);

#!/usr/bin/env node
// `npm run bench`: what docs/benchmarks.md says, measured on this machine. `--help` lists the options.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { measureAccept } from "./bench/accept.mjs";
import { measureCreates } from "./bench/creates.mjs";
import { lend } from "./bench/lent.mjs";
import { readOptions, USAGE } from "./bench/options.mjs";
import { measureReads } from "./bench/reads.mjs";
import { describe, describeInMarkdown } from "./bench/report.mjs";
import { measureRestart } from "./bench/restart.mjs";
import { measureResync } from "./bench/resync.mjs";
import { measureThroughput } from "./bench/throughput.mjs";
import { runBench, withUndo } from "./lib/bench-run.mjs";
import { loadOfLastMinute, machineFacts, versionOf } from "./lib/machine-facts.mjs";
import { isRoot, ROOT, run } from "./lib/process.mjs";
import { note } from "./lib/terminal.mjs";

/**
 * What a section is given to measure with.
 * @typedef {import("./bench/options.mjs").Options & { undo: import("./lib/undo.mjs").Undo,
 *   signal: AbortSignal, progress: (text: string) => void, lent: import("./bench/lent.mjs").Lent }}
 *   Context `undo`: what is added goes at the end of the section
 */

/**
 * In the order in which they are printed. `measure` takes a Context and yields rows; `onSwitch`:
 * it needs a private Open vSwitch, and so root.
 */
const SECTIONS = {
  accept: { title: "Accepting a peering", measure: measureAccept, onSwitch: true },
  throughput: { title: "Throughput", measure: measureThroughput, onSwitch: true },
  resync: { title: "Comparing a bridge", measure: measureResync, onSwitch: true },
  restart: { title: "After a restart of the switch", measure: measureRestart, onSwitch: true },
  reads: { title: "Reading", measure: measureReads, onSwitch: false },
  creates: { title: "Writing", measure: measureCreates, onSwitch: false },
};

async function measureSection(name, context) {
  const { title, measure, onSwitch } = SECTIONS[name];
  if (onSwitch && !isRoot()) return { name, title, rows: [], skipped: "it needs root" };
  const rows = await withUndo((undo) => measure({ ...context, undo }));
  return { name, title, rows };
}

async function measureSections(options, signal, undo) {
  const context = { ...options, signal, undo, progress: note };
  const lent = lend(context);
  const sections = [];
  for (const name of options.only) {
    signal.throwIfAborted();
    const progress = (text) => note(`${name}: ${text}`);
    sections.push(await measureSection(name, { ...context, lent, progress }));
  }
  return sections;
}

async function measureAll(options, signal) {
  const machine = { ...machineFacts(), ovs: await versionOf("ovs-vswitchd") };
  const sections = await withUndo((undo) => measureSections(options, signal, undo));
  return {
    date: new Date().toISOString(),
    options,
    machine: { ...machine, loadAfter: loadOfLastMinute() },
    sections,
  };
}

function publish(results, { json, output, markdown }) {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  if (output !== undefined) writeFileSync(output, text);
  if (json) process.stdout.write(text);
  const tables = markdown ? describeInMarkdown(results) : describe(results);
  (json ? process.stderr : process.stdout).write(`${tables}\n`);
}

function optionsOrUsage(args) {
  try {
    return readOptions(args, Object.keys(SECTIONS));
  } catch (error) {
    note(`${error.message}\n${usage()}`);
    process.exitCode = 2;
  }
}

function usage() {
  const lines = Object.entries(SECTIONS).map(
    ([name, { title }]) => `  ${name.padEnd(16)} ${title}`,
  );
  return [USAGE, "sections:", ...lines].join("\n");
}

await runBench(async (signal) => {
  const options = optionsOrUsage(process.argv.slice(2));
  if (options === undefined) return;
  if (options.help) return process.stdout.write(`${usage()}\n`);
  if (isRoot()) await run(join(ROOT, "ovs/install.sh"), ["iperf3"], { show: true, signal });
  publish(await measureAll(options, signal), options);
});

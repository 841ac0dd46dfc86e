#!/usr/bin/env node
// Prints what Patchbay makes of the kernel's datapath: throughput, restarts of the switch, OVN beside
// it. `--help` lists the options.
import { writeFileSync } from "node:fs";
import { measureInGuest } from "./bench-kernel/in-guest.mjs";
import { measureHere } from "./bench-kernel/measure.mjs";
import { readOptions, USAGE } from "./bench-kernel/options.mjs";
import { describe } from "./bench-kernel/report.mjs";
import { runBench } from "./lib/bench-run.mjs";
import { isRoot } from "./lib/process.mjs";
import { note } from "./lib/terminal.mjs";

function publish(results, { json, output }) {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  if (output !== undefined) writeFileSync(output, text);
  if (json) process.stdout.write(text);
  (json ? process.stderr : process.stdout).write(`${describe(results)}\n`);
}

function optionsOrUsage(args) {
  try {
    return readOptions(args);
  } catch (error) {
    note(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  }
}

await runBench(async (signal) => {
  const options = optionsOrUsage(process.argv.slice(2));
  if (options === undefined) return;
  if (options.help) return process.stdout.write(`${USAGE}\n`);
  if (!isRoot()) throw new Error("needs root: it makes network namespaces and private switches");
  const measure = options.here ? measureHere : measureInGuest;
  const results = await measure(options, signal);
  publish(results, options);
});

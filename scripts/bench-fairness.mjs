#!/usr/bin/env node
// `npm run bench:fairness`: what one tenant's calls take while another does its worst. `--help` lists the options.
import { writeFileSync } from "node:fs";
import { startNeighbours } from "./bench-fairness/neighbours.mjs";
import { readOptions, USAGE } from "./bench-fairness/options.mjs";
import { briefly, describe, rowOf } from "./bench-fairness/report.mjs";
import { SCENARIOS } from "./bench-fairness/scenarios.mjs";
import { underAttack } from "./bench-fairness/under-attack.mjs";
import { runBench, withUndo } from "./lib/bench-run.mjs";
import { loadOfLastMinute, machineFacts } from "./lib/machine-facts.mjs";
import { note, out } from "./lib/terminal.mjs";

async function measure(options, signal, undo) {
  const machine = machineFacts();
  const neighbours = await startNeighbours(options, { signal, undo });
  const rows = [];
  for (const name of options.only) {
    signal.throwIfAborted();
    note(`${name}: ${SCENARIOS[name].title}`);
    const loadBefore = loadOfLastMinute();
    const found = await underAttack(name, neighbours, { ...options, signal });
    const row = rowOf({ name, title: SCENARIOS[name].title, loadBefore, ...found });
    note(briefly(row));
    rows.push(row);
  }
  const { engine } = neighbours;
  return { date: new Date().toISOString(), engine, options, machine, rows };
}

function optionsOrUsage(args) {
  try {
    return readOptions(args, Object.keys(SCENARIOS));
  } catch (error) {
    note(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  }
}

await runBench(async (signal) => {
  const options = optionsOrUsage(process.argv.slice(2));
  if (options === undefined) return;
  if (options.help) return out(USAGE);
  const results = await withUndo((undo) => measure(options, signal, undo));
  results.machine.loadAfter = loadOfLastMinute();
  if (options.output !== undefined) {
    writeFileSync(options.output, `${JSON.stringify(results, null, 2)}\n`);
  }
  out(describe(results));
});

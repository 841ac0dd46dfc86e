#!/usr/bin/env node
// Prints what it costs that much is stored: one peering among ten and among ten thousand, start,
// memory; hundreds of bridges on a real switch; a full mesh. Build first. `--help` lists the options.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { measureMesh } from "./bench-scale/mesh.mjs";
import { readOptions, USAGE } from "./bench-scale/options.mjs";
import { reportMesh, reportStored, reportSwitch } from "./bench-scale/report.mjs";
import { measureStored } from "./bench-scale/stored.mjs";
import { measureSwitch } from "./bench-scale/switch.mjs";
import { dim, note, out } from "./lib/terminal.mjs";
import { Undo } from "./lib/undo.mjs";

function enginesOf({ engine = "both" }) {
  if (engine !== "both") return [engine];
  return existsSync("/usr/lib/postgresql") ? ["embedded", "postgres"] : ["embedded"];
}

async function measure(bench) {
  const { options } = bench;
  if (options.switch !== undefined) {
    const found = await measureSwitch(bench);
    reportSwitch(found, options);
    return { switch: found };
  }
  if (options.mesh !== undefined) {
    const mesh = await measureMesh(bench);
    reportMesh(mesh);
    return { mesh };
  }
  const results = [];
  for (const engine of enginesOf(options)) {
    const result = await measureStored(bench, engine);
    reportStored(result, options);
    results.push(result);
  }
  return { stored: results };
}

async function main() {
  const options = readOptions();
  if (options.help) return out(USAGE);
  const undo = new Undo();
  const dir = mkdtempSync(join(tmpdir(), "pbs-"));
  undo.add(() => rmSync(dir, { recursive: true, force: true }));
  const stop = () => undo.run().finally(() => process.exit(130));
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, stop);
  const before = loadavg();
  try {
    const results = await measure({ options, undo, dir, progress: note });
    const after = loadavg();
    const loads = [before, after].map(([minute]) => minute.toFixed(1));
    out(dim(`The machine's load was ${loads.join(" before and ")} after.`));
    const result = { options, started: new Date().toISOString(), loads, ...results };
    if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    if ((await undo.run()) > 0) process.exitCode = 1;
  }
}

main().catch((error) => {
  note(error.stack ?? String(error));
  process.exitCode = 1;
});

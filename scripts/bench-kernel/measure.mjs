import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { withUndo } from "../lib/bench-run.mjs";
import { loadOfLastMinute, machineFacts, versionOf } from "../lib/machine-facts.mjs";
import { note } from "../lib/terminal.mjs";
import { measureBesideOvn } from "./beside-ovn.mjs";
import { idleShare } from "./idle.mjs";
import { measureRestarts } from "./restart.mjs";
import { addComparisons, makeSite } from "./site.mjs";
import { measureThroughput } from "./throughput.mjs";
import { measureWaiting, WAITING_VPCS } from "./waiting.mjs";

/** Measures on this kernel, as root. @returns what `describe` of report.mjs tells people */
export async function measureHere(options, signal) {
  process.env.PATCHBAY_SANDBOX_DATAPATH = options.datapath;
  const machine = { ...machineFacts(), ovs: await versionOf("ovs-vswitchd") };
  const results = { date: new Date().toISOString(), options, machine };
  const does = (...parts) => parts.some((part) => options.parts.includes(part));
  // What one stage has made is gone before the next one begins.
  const stage = (work) =>
    withUndo(async (undo) => Object.assign(results, await work(makeBench(options, signal, undo))));
  if (does("throughput", "restart")) await stage((bench) => measureSites(bench, does));
  if (does("waiting")) await stage(measureCuts);
  if (does("ovn")) await stage(async (bench) => ({ ovn: await measureBesideOvn(bench) }));
  return { ...results, loadAfter: loadOfLastMinute() };
}

function makeBench(options, signal, undo) {
  const dir = mkdtempSync(join(tmpdir(), "pbk-"));
  undo.add(() => rmSync(dir, { recursive: true, force: true }));
  return { dir, tag: basename(dir), undo, signal, options, progress: note };
}

/** All sizes are there at once, and take turns. */
async function measureSites(bench, does) {
  const sites = [];
  for (const [index, vpcs] of bench.options.sizes.entries()) {
    sites.push(await makeSite(bench, vpcs, index));
    bench.signal.throwIfAborted();
  }
  const found = {};
  if (does("throughput")) {
    for (const [index, site] of sites.entries()) await addComparisons(bench, site, index === 0);
    found.idlePercent = await idleShare();
    found.throughput = await measureThroughput(bench, sites);
  }
  if (does("restart")) found.restarts = await measureRestarts(bench, sites);
  return found;
}

async function measureCuts(bench) {
  return { waiting: await measureWaiting(bench, await makeSite(bench, WAITING_VPCS, 0)) };
}

#!/usr/bin/env node
// Prints how Patchbay compares with OVN: one peering among many VPCs, the full mesh, throughput.
// Usage: node scripts/bench-ovn.mjs --help     (root, Debian or Ubuntu; build first)
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { judge } from "./bench-ovn/aims.mjs";
import { conditionsOf, versionsOf } from "./bench-ovn/conditions.mjs";
import { watchOthers } from "./bench-ovn/machine.mjs";
import { measureMesh } from "./bench-ovn/mesh.mjs";
import { readOptions, USAGE } from "./bench-ovn/options.mjs";
import { footprint, startSides } from "./bench-ovn/pair-of-sides.mjs";
import { measurePeerings } from "./bench-ovn/peerings.mjs";
import { describe } from "./bench-ovn/report.mjs";
import { measureThroughput } from "./bench-ovn/throughput.mjs";
import { isRoot, ROOT, run } from "./lib/process.mjs";
import { note } from "./lib/terminal.mjs";
import { Undo } from "./lib/undo.mjs";

const PACKAGES = ["ovn-central", "ovn-host", "iperf3"];
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

async function measureSize(bench, pair, vpcs) {
  bench.progress(`${vpcs} VPCs: making them`);
  const growSeconds = await pair.grow(vpcs);
  const [patchbay, ovn] = await Promise.all(pair.sides.map(footprint));
  bench.progress(`${vpcs} VPCs: ${bench.options.runs} peerings a side`);
  const others = watchOthers(pair.sides);
  const figures = await measurePeerings(pair.sides, pair.probes, bench.options.runs);
  const result = {
    vpcs,
    othersPercent: others(),
    growSeconds,
    patchbay: { ...figures.patchbay, ...patchbay },
    ovn: { ...figures.ovn, ...ovn },
  };
  if (bench.options.seconds === 0) return result;
  bench.progress(`${vpcs} VPCs: throughput`);
  const throughputGbps = await measureThroughput(bench, pair.sides, bench.options.seconds);
  return { ...result, throughputGbps };
}

async function measure(bench) {
  const { options } = bench;
  const results = { date: new Date().toISOString(), runs: options.runs, sizes: [] };
  results.versions = await versionsOf();
  const first = { ...bench, round: "a", undo: new Undo() };
  bench.undo.add(() => first.undo.run());
  const pair = await startSides(first, options.sizes[0]);
  for (const size of options.sizes) results.sizes.push(await measureSize(first, pair, size));
  results.conditions = conditionsOf(pair.sides, options);
  await first.undo.run();
  if (options.mesh > 0) results.mesh = await measureMesh({ ...bench, round: "b" }, options.mesh);
  return { ...results, aims: judge(results) };
}

function publish(results, { json, output }) {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  if (output !== undefined) writeFileSync(output, text);
  if (json) process.stdout.write(text);
  (json ? process.stderr : process.stdout).write(`${describe(results)}\n`);
}

function makeBench(options) {
  const dir = mkdtempSync(join(tmpdir(), "pbn-"));
  const undo = new Undo();
  undo.add(() => rmSync(dir, { recursive: true, force: true }));
  return { dir, tag: basename(dir), undo, options, progress: note };
}

function optionsOrUsage(args) {
  try {
    return readOptions(args);
  } catch (error) {
    note(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  }
}

async function main() {
  const options = optionsOrUsage(process.argv.slice(2));
  if (options === undefined) return;
  if (options.help) return process.stdout.write(`${USAGE}\n`);
  if (!isRoot()) throw new Error("needs root: it makes network namespaces and private switches");
  await run(join(ROOT, "ovs/install.sh"), PACKAGES, { show: true });
  const bench = makeBench(options);
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => bench.undo.run().then(() => process.exit(code)));
  }
  try {
    publish(await measure(bench), options);
  } catch (error) {
    // What fails because it is being taken away is no news.
    if (!bench.undo.begun) throw error;
  } finally {
    await bench.undo.run();
  }
}

main().catch((error) => {
  note(error.stack ?? String(error));
  process.exitCode = 1;
});

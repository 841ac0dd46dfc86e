#!/usr/bin/env node
// Prints how long a change made to flows by hand lasts, and what watching for it costs.
// Usage: node scripts/bench-drift.mjs [BRIDGES] [TAMPERINGS]     (root; build first)
import { readdirSync, readFileSync } from "node:fs";
import { percentile } from "./lib/bench-figures.mjs";
import { runBench, withUndo } from "./lib/bench-run.mjs";
import { makeStage, untilAllProgrammed } from "./lib/bench-stage.mjs";
import { sleep } from "./lib/process.mjs";
import { out } from "./lib/terminal.mjs";
import { cpuMs } from "./lib/usage.mjs";

const bridges = Number(process.argv[2] ?? 100);
const tamperings = Number(process.argv[3] ?? 100);
const IDLE_SECONDS = 10;
const SETTLE_MS = 2000;
const REPAIR_LIMIT_MS = 20_000;

async function populate(stage) {
  const { call } = stage;
  const vpcs = [];
  for (let i = 0; i < bridges; i += 1) {
    const cidrBlock = `10.${i % 256}.0.0/16`;
    vpcs.push(await call("POST", "/vpcs", { cidrBlock }));
    if (i % 2 === 0) continue;
    const [a, b] = vpcs.slice(-2);
    const ends = { requesterVpcId: a.id, accepterVpcId: b.id };
    const { id } = await call("POST", "/vpc-peerings", ends);
    await call("POST", `/vpc-peerings/${id}/accept?wait=10`);
  }
  await untilAllProgrammed(stage);
  return vpcs;
}

/** Where the daemon watches nothing, this prints the same figures for comparison. */
async function reportCost(stage) {
  await sleep(SETTLE_MS);
  const processes = stage.pids();
  const before = Object.values(processes).map(cpuMs);
  await sleep(IDLE_SECONDS * 1000);
  const watched = (await metric(stage, "bridges_watched")) ?? "none";
  out(`  bridges watched: ${watched}`);
  for (const [index, [name, pid]] of Object.entries(processes).entries()) {
    const cpu = (cpuMs(pid) - before[index]) / IDLE_SECONDS;
    const files = readdirSync(`/proc/${pid}/fd`).length;
    const memory = (residentKb(pid) / 1024).toFixed(1);
    out(`  ${name}: ${memory} MB, ${cpu.toFixed(1)} ms CPU a second idle, ${files} files`);
  }
}

/** @param table one with flows that an `ip` match covers: OpenFlow 1.4 modifies one table at a time */
async function reportRepairs(stage, what, table, bridgeOf) {
  const times = [];
  for (let turn = 0; turn < tamperings; turn += 1) {
    times.push(await timeRepair(stage, bridgeOf(turn), table, turn));
    await sleep(50 + Math.random() * 100);
  }
  const figures = {
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    max: Math.max(...times),
  };
  const texts = Object.entries(figures).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  out(`  ${what}: repaired after ${texts.join("   ")} ms (${tamperings} tamperings)`);
}

/** From the moment that ovs-ofctl has done the damage until a reading finds every flow again. */
async function timeRepair(stage, bridge, table, turn) {
  const wanted = await flowsOf(stage, bridge);
  const damages = [["del-flows"], ["mod-flows", `table=${table},ip,actions=output:1`]];
  await stage.ofctl(bridge, ...damages[turn % damages.length]);
  const start = performance.now();
  for (;;) {
    const asked = performance.now();
    if ((await flowsOf(stage, bridge)) === wanted) return asked - start;
    if (asked - start > REPAIR_LIMIT_MS) throw new Error(`${bridge} is not repaired`);
  }
}

async function flowsOf({ ofctl }, bridge) {
  const text = await ofctl(bridge, "dump-flows", "--no-stats");
  return text.split("\n").sort().join("\n");
}

async function nameOfExchange({ operator }) {
  const view = await operator("GET", "/data-plane");
  return view.bridges.find(({ vpcId }) => vpcId === null).bridge;
}

async function metric({ url }, name) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new RegExp(`^patchbay_${name} (\\S+)$`, "m").exec(text)?.[1];
}

function residentKb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
}

await runBench((signal) =>
  withUndo(async (undo) => {
    const stage = await makeStage(undo, signal);
    const vpcs = await populate(stage);
    out(`${vpcs.length} VPC bridges, one peering for each two; the resync is an hour away`);
    await reportCost(stage);
    const bridgeOf = (turn) => vpcs[(turn * 7) % vpcs.length].bridge;
    await reportRepairs(stage, "a VPC's bridge", 3, bridgeOf);
    const exchange = await nameOfExchange(stage);
    await reportRepairs(stage, "the exchange", 0, () => exchange);
  }),
);

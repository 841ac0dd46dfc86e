import { run } from "../lib/process.mjs";
import { measureWhileComparing } from "./comparing.mjs";
import { measureHotPath } from "./hot-path.mjs";
import { makeStage } from "./stage.mjs";
import { measureRestarts } from "./switch-restart.mjs";

const RUNS_WHILE_COMPARING = 10;
const RESTARTS = 5;
const PEERINGS_PER_VPC = 10;
const INTERFACES_PER_VPC = 20;

/** A daemon over an empty switch, and over one that has everything. */
export async function measureSwitch(bench) {
  const { options, progress } = bench;
  const vpcs = options.switch;
  const [peerings, interfaces] = [PEERINGS_PER_VPC * vpcs, INTERFACES_PER_VPC * vpcs];
  const size = { vpcs, peerings, interfaces };
  const stage = await makeStage(bench, size);
  progress(`${vpcs} bridges: starting over an empty switch`);
  const empty = await startOver(stage);
  await stage.daemon.stop();
  progress("starting over a switch that has everything");
  const stoppedAt = performance.now();
  const full = await startOver(stage);
  const sinceStopS = (performance.now() - stoppedAt) / 1000;
  const youngestS = await youngestFlow(stage);
  if (youngestS < sinceStopS) throw new Error(`a flow is ${youngestS} s old, after ${sinceStopS}`);
  progress(`${RESTARTS} restarts of ovs-vswitchd`);
  const restarts = await measureRestarts(stage, RESTARTS);
  progress("one peering");
  const side = { name: "switch", size, daemon: stage.daemon };
  const hotPath = await measureHotPath([side], options.runs);
  const comparing = await measureWhileComparing(side, RUNS_WHILE_COMPARING);
  await stage.daemon.stop();
  return { size, empty, full, restarts, hotPath, comparing };
}

async function startOver(stage) {
  const start = await stage.daemon.start();
  return { ...start, usage: stage.usage(), ...(await stage.daemon.metrics("flows")) };
}

/** @returns {Promise<number>} seconds since the last flow was added, on all bridges */
async function youngestFlow({ rundir }) {
  const { stdout } = await run("ovs-vsctl", [`--db=unix:${rundir}/db.sock`, "list-br"]);
  let youngest = Number.POSITIVE_INFINITY;
  for (const bridge of stdout.trim().split("\n")) {
    const target = `unix:${rundir}/${bridge}.mgmt`;
    const dump = await run("ovs-ofctl", ["-O", "OpenFlow14", "--no-names", "dump-flows", target]);
    for (const [, age] of dump.stdout.matchAll(/duration=([\d.]+)s/g)) {
      youngest = Math.min(youngest, Number(age));
    }
  }
  return youngest;
}

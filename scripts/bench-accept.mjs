#!/usr/bin/env node
// Prints how long an accept with ?wait takes until the switch has confirmed it, with many bridges.
// Usage: node scripts/bench-accept.mjs [BRIDGES] [RUNS]     (root; build first)
import { median, percentile, timed } from "./lib/bench-figures.mjs";
import { runBench, withUndo } from "./lib/bench-run.mjs";
import { makeStage, untilAllProgrammed } from "./lib/bench-stage.mjs";
import { out } from "./lib/terminal.mjs";

const bridges = Number(process.argv[2] ?? 100);
const runs = Number(process.argv[3] ?? 60);
const WARM_UP = 5;

async function measure(stage) {
  const { call } = stage;
  const vpcs = [];
  for (let i = 0; i < bridges; i += 1) {
    vpcs.push(await call("POST", "/vpcs", { cidrBlock: `10.${i % 256}.0.0/16` }));
  }
  await untilAllProgrammed(stage);
  const accepts = [];
  const deletes = [];
  for (let i = 0; i < WARM_UP + runs; i += 1) {
    const { acceptMs, deleteMs } = await onePeering(call, pairFor(i, vpcs));
    if (i < WARM_UP) continue;
    accepts.push(acceptMs);
    deletes.push(deleteMs);
  }
  return { accepts, deletes };
}

async function onePeering(call, [a, b]) {
  const body = { requesterVpcId: a.id, accepterVpcId: b.id };
  const { id } = await call("POST", "/vpc-peerings", body);
  const accept = await timed(() => call("POST", `/vpc-peerings/${id}/accept?wait=10`));
  const removal = await timed(() => call("DELETE", `/vpc-peerings/${id}?wait=10`));
  if (accept.value.state !== "active") throw new Error(`not active: ${accept.value.state}`);
  if (removal.value.state !== "deleted") throw new Error(`not cut: ${removal.value.state}`);
  return { acceptMs: accept.ms, deleteMs: removal.ms };
}

/** A different pair of neighbours each time, so that no run profits from the one before it. */
function pairFor(i, vpcs) {
  const at = (2 * i) % (vpcs.length - 1);
  return [vpcs[at], vpcs[at + 1]];
}

function report({ accepts, deletes }) {
  out(`${bridges} VPC bridges, ${runs} runs, milliseconds until the switch confirmed it`);
  for (const [name, values] of [
    ["accept ?wait", accepts],
    ["delete ?wait", deletes],
  ]) {
    const figures = {
      min: Math.min(...values),
      median: median(values),
      p90: percentile(values, 0.9),
      max: Math.max(...values),
    };
    const texts = Object.entries(figures).map(([figure, ms]) => `${figure} ${ms.toFixed(1)}`);
    out(`  ${name}   ${texts.join("   ")}`);
  }
}

await runBench((signal) =>
  withUndo(async (undo) => {
    const stage = await makeStage(undo, signal, { PATCHBAY_RESYNC_SECONDS: "30" });
    report(await measure(stage));
  }),
);

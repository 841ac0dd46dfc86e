import { cpuTimes, difference, total } from "../lib/usage.mjs";
import { asObject } from "./figures.mjs";
import { watchOthers } from "./machine.mjs";
import { footprint, startSides } from "./pair-of-sides.mjs";
import { meshPairs } from "./plan.mjs";

/**
 * Every VPC peered with every other, on fresh instances: what many single peerings have left
 * behind in a process's memory is not the mesh's.
 */
export async function measureMesh(bench, size) {
  const { sides, probes, grow } = await startSides(bench, size);
  await grow(size);
  const pairs = meshPairs(size);
  const results = {};
  for (const side of sides) {
    bench.progress(`mesh of ${size} VPCs, ${pairs.length} peerings: ${side.name}`);
    const others = watchOthers(sides);
    results[side.key] = await oneMesh(side, pairs, probes);
    results[side.key].othersPercent = others();
  }
  return { vpcs: size, peerings: pairs.length, ...results };
}

async function oneMesh(side, pairs, probes) {
  const bare = await footprint(side);
  const before = cpuTimes(side.processes());
  const start = performance.now();
  await side.mesh(pairs);
  const seconds = (performance.now() - start) / 1000;
  const cpu = difference(before, cpuTimes(side.processes()));
  await everyProbePasses(side, probes);
  const full = await footprint(side);
  return {
    seconds: Number(seconds.toFixed(2)),
    cpuSeconds: Number((total(cpu) / 1000).toFixed(2)),
    cpuMsByProcess: asObject(cpu),
    flowsBefore: bare.flows,
    pssMiBBefore: bare.pssMiB,
    ...full,
  };
}

/** A side that says it is done must let packets through; otherwise its time means nothing. */
async function everyProbePasses(side, probes) {
  for (const pair of meshPairs(probes)) {
    const { first } = await side.prober.watch(...pair);
    await first;
  }
}

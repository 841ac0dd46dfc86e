import { summary } from "../lib/bench-figures.mjs";
import { sleep } from "../lib/process.mjs";
import { cpuTimes, difference, total } from "../lib/usage.mjs";
import { asObject } from "./figures.mjs";
import { meshPairs } from "./plan.mjs";

/** As many as bench-accept: Node compiles what it has seen often, and a daemon is no fresh start. */
const WARM_UP = 5;
/** What a side still has to do after it has answered counts as its CPU as well. */
const SETTLE_MS = 200;

/**
 * Makes and removes one peering again and again, the sides taking turns and the turn's order
 * alternating, with packets knocking all the while.
 * @returns {Promise<Record<string, object>>} figures by side
 */
export async function measurePeerings(sides, probes, runs) {
  const pairs = meshPairs(probes);
  const samples = Object.fromEntries(sides.map(({ key }) => [key, []]));
  for (let i = 0; i < WARM_UP + runs; i += 1) {
    const order = i % 2 === 0 ? sides : sides.toReversed();
    for (const side of order) {
      const sample = await onePeering(side, pairs[i % pairs.length]);
      if (i >= WARM_UP) samples[side.key].push(sample);
    }
  }
  return Object.fromEntries(sides.map(({ key }) => [key, figuresOf(samples[key])]));
}

async function onePeering(side, pair) {
  await side.prober.quiet(...pair);
  const { first } = await side.prober.watch(...pair);
  const before = cpuTimes(side.processes());
  const start = process.hrtime.bigint();
  const peering = await side.peer(pair);
  const installedMs = since(start);
  const firstPacketMs = Number((await first) - start) / 1e6;
  const removal = process.hrtime.bigint();
  await side.unpeer(peering);
  const removedMs = since(removal);
  await sleep(SETTLE_MS);
  const cpu = difference(before, cpuTimes(side.processes()));
  return { installedMs, firstPacketMs, acceptMs: peering.acceptMs, removedMs, cpu };
}

const since = (start) => Number(process.hrtime.bigint() - start) / 1e6;

function figuresOf(samples) {
  const of = (name) => summary(samples.map((sample) => sample[name]));
  return {
    installedMs: of("installedMs"),
    firstPacketMs: of("firstPacketMs"),
    removedMs: of("removedMs"),
    ...(samples[0].acceptMs !== undefined && { acceptMs: of("acceptMs") }),
    cpuMs: summary(samples.map(({ cpu }) => total(cpu))),
    cpuMsMean: mean(samples.map(({ cpu }) => total(cpu))),
    cpuMsMeanByProcess: asObject(meanByName(samples.map(({ cpu }) => cpu))),
  };
}

const mean = (values) => Number((values.reduce((a, b) => a + b, 0) / values.length).toFixed(2));

function meanByName(maps) {
  const names = [...maps[0].keys()];
  return new Map(names.map((name) => [name, mean(maps.map((map) => map.get(name)))]));
}

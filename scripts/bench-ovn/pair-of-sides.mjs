import { Prober } from "../lib/prober.mjs";
import { memory, total } from "../lib/usage.mjs";
import { asObject } from "./figures.mjs";
import { startOvnSide } from "./ovn-side.mjs";
import { startPatchbay } from "./patchbay-side.mjs";
import { countFlows } from "./place.mjs";

/** Workloads that packets are sent between: the pairs of these take turns. */
const MOST_PROBES = 6;
/** Ours first, to see whether it has security groups: OVN's ACLs follow that. */
const FIRST_VPC = 1;

/**
 * Both sides on fresh private instances.
 * @returns {Promise<{ sides: object[], probes: number, grow(count: number): Promise<object> }>}
 *   `grow` makes VPCs on both until there are so many
 */
export async function startSides(bench, size) {
  const probes = Math.min(size, MOST_PROBES);
  bench.progress("starting private instances of both sides");
  const patchbay = await startPatchbay(bench);
  patchbay.workloads = await patchbay.grow(FIRST_VPC, probes);
  const stateful = { auto: patchbay.stateful, on: true, off: false }[bench.options.acl];
  const ovn = await startOvnSide(bench, stateful);
  ovn.workloads = await ovn.grow(FIRST_VPC, probes);
  const sides = [patchbay, ovn];
  return { sides, probes, grow: (count) => growBoth(bench, sides, count, probes) };
}

/** One after the other, so that neither is timed in the other's shadow. @returns seconds by side */
async function growBoth(bench, sides, count, probes) {
  const seconds = {};
  for (const side of sides) {
    const start = performance.now();
    side.workloads.push(...(await side.grow(count, probes)));
    seconds[side.key] = Number(((performance.now() - start) / 1000).toFixed(2));
    side.prober ??= await Prober.start(side.workloads, bench.undo);
  }
  return seconds;
}

/** Flows and memory of a side as it stands. */
export async function footprint(side) {
  const pss = memory(side.processes());
  return {
    flows: await countFlows(side.place),
    pssMiB: Number(total(pss).toFixed(1)),
    pssMiBByProcess: asObject(pss),
  };
}

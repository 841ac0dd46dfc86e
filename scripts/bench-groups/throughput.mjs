import { median } from "../lib/bench-figures.mjs";
import { packetRate, tcpThroughput } from "../lib/bench-iperf.mjs";
import { peeredPaths, plainPaths } from "./paths.mjs";

export const RULE_COUNTS = [0, 10, 1000];

const KINDS = { tcp: tcpThroughput, packets: packetRate };

/**
 * Ways of packets, measured in turn, so that what else the machine does meets all of them.
 * @returns {Promise<Record<string, Record<string, number[]>>>} by path, a value a round: `tcp` and
 *   `packets` that arrived in a second; `tcpCpu` and `packetsCpu` that arrived for each second that
 *   ovs-vswitchd computed, on which other programs have little influence
 */
export async function measureThroughput(stage, { rounds, seconds }, progress) {
  const peered = await peeredPaths(stage, RULE_COUNTS, progress);
  return inRounds(stage, [...(await plainPaths(stage)), ...peered], { rounds, seconds }, progress);
}

/** What `measureThroughput` yields, of any paths. */
export async function inRounds(stage, paths, { rounds, seconds }, progress) {
  const found = Object.fromEntries(
    paths.map(({ name }) => [name, { tcp: [], packets: [], tcpCpu: [], packetsCpu: [] }]),
  );
  // What is asked for first, and what the datapath has to learn, is nobody's handicap.
  for (const path of paths) await measure(stage, path, tcpThroughput, 1);
  for (let round = 0; round < rounds; round += 1) {
    progress(`round ${round + 1} of ${rounds}`);
    for (const path of rotated(paths, round)) {
      for (const [kind, measurement] of Object.entries(KINDS)) {
        const { perSecond, perCpuSecond } = await measure(stage, path, measurement, seconds);
        found[path.name][kind].push(perSecond);
        found[path.name][`${kind}Cpu`].push(perCpuSecond);
      }
    }
  }
  return found;
}

/** No path always follows the same other one. */
function rotated(paths, by) {
  const at = by % paths.length;
  return [...paths.slice(at), ...paths.slice(0, at)];
}

async function measure(stage, { from, to, prepare }, measurement, seconds) {
  await prepare?.();
  const before = stage.switchCpuMs();
  const { amount, perSecond } = await measurement(from, to, seconds, stage.signal);
  return { perSecond, perCpuSecond: (1000 * amount) / (stage.switchCpuMs() - before) };
}

/** How the one compares with the other in the same round: the median, and the extremes. */
export function ratioOf(values, base) {
  const ratios = values.map((value, round) => value / base[round]);
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}

import { median, percentile, timed } from "../lib/bench-figures.mjs";
import { barePairs, hubOf, ringPairs, scaleId } from "./seed.mjs";

/** Node compiles what it has seen often, and a daemon is no fresh start. */
const WARM_UP = 5;

/**
 * What can be asked of one daemon.
 * @param {{ vpcs: number }} size what it was seeded with
 * @returns {Record<string, number[][]>} by case: pairs of VPC numbers without a peering
 */
function casesOf(size) {
  const hub = hubOf(size);
  const bare = barePairs(size);
  return {
    "no peerings": bare,
    "as the others": ringPairs(size),
    ...(hub !== undefined && { hub: bare.map(([, vpc]) => [hub, vpc]) }),
  };
}

/**
 * Asks for, accepts and deletes one peering again and again, in every case of every daemon in turn,
 * so that whatever else the machine does falls on all alike.
 * @param {{ name: string, size: object, daemon: import("./daemon.mjs").ScaleDaemon }[]} sides
 */
export async function measureHotPath(sides, runs) {
  const series = [];
  for (const { name, size, daemon } of sides) {
    const call = await daemon.tenant();
    for (const [kind, pairs] of Object.entries(casesOf(size))) {
      series.push({
        name: `${name}, ${kind}`,
        call,
        pairs,
        requests: [],
        accepts: [],
        deletes: [],
      });
    }
  }
  for (let run = 0; run < WARM_UP + runs; run += 1) {
    const order = run % 2 === 0 ? series : series.toReversed();
    for (const each of order) await peerOnce(each, run);
  }
  return series.map(({ name, ...times }) => ({
    name,
    request: figures(times.requests),
    accept: figures(times.accepts),
    delete: figures(times.deletes),
  }));
}

async function peerOnce({ call, pairs, requests, accepts, deletes }, run) {
  const [a, b] = pairs[run % pairs.length].map((n) => scaleId("vpc", n));
  const ends = { requesterVpcId: a, accepterVpcId: b };
  const asked = await timed(() => call("POST", "/vpc-peerings", ends));
  const path = `/vpc-peerings/${asked.value.id}`;
  const accepted = await timed(() => call("POST", `${path}/accept?wait=30`));
  if (accepted.value.state !== "active") throw new Error(`it is ${accepted.value.state}`);
  const deleted = await timed(() => call("DELETE", `${path}?wait=30`));
  if (deleted.value.state !== "deleted") throw new Error(`it is ${deleted.value.state}`);
  if (run < WARM_UP) return;
  requests.push(asked.ms);
  accepts.push(accepted.ms);
  deletes.push(deleted.ms);
}

/** @param {number[]} values milliseconds */
export function figures(values) {
  const round = (ms) => Number(ms.toFixed(2));
  return {
    median: round(median(values)),
    p99: round(percentile(values, 0.99)),
    max: round(Math.max(...values)),
  };
}

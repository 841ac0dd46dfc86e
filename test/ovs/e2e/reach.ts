import type { Workload } from "./workload.js";

/** `a1>b2`: the first one reaches the second one. */
export type Pair = string;

const PINGS = 2;

/** @returns every ordered pair of workloads of which the condition holds */
export function pairs(
  workloads: readonly Workload[],
  condition: (from: Workload, to: Workload) => boolean,
): Pair[] {
  return orderedPairs(workloads)
    .filter(([from, to]) => condition(from, to))
    .map(([from, to]) => `${from.name}>${to.name}`)
    .sort();
}

/** Tries all ordered pairs at once. @returns those where ping, and those where TCP, works */
export async function reachable(
  workloads: readonly Workload[],
): Promise<{ readonly ping: Pair[]; readonly tcp: Pair[] }> {
  const [ping, tcp] = await Promise.all([
    which(workloads, async (from, to) => (await from.host.countPings(to.ip, PINGS)) > 0),
    which(workloads, (from, to) => from.connects(to)),
  ]);
  return { ping, tcp };
}

async function which(
  workloads: readonly Workload[],
  attempt: (from: Workload, to: Workload) => Promise<boolean>,
): Promise<Pair[]> {
  const outcomes = await Promise.all(
    orderedPairs(workloads).map(async ([from, to]) =>
      (await attempt(from, to)) ? [`${from.name}>${to.name}`] : [],
    ),
  );
  return outcomes.flat().sort();
}

function orderedPairs(workloads: readonly Workload[]): Array<[Workload, Workload]> {
  return workloads.flatMap((from) =>
    workloads.filter((to) => to !== from).map((to): [Workload, Workload] => [from, to]),
  );
}

import type { Sandbox } from "../../support/sandbox.js";

interface Age {
  readonly seconds: number;
  readonly packets: number;
}

/** Since when the flows of bridges have been there, and what each has counted. */
export interface FlowAges {
  readonly from: number;
  readonly to: number;
  readonly flows: ReadonlyMap<string, Age>;
}

const LINE = /^(.*?)duration=([\d.]+)s, (.*?)n_packets=(\d+), n_bytes=\d+,(?: \w+_age=\d+,)*(.*)$/;
/** The switch tells ages to the millisecond, and takes a moment to tell. */
const TOLERANCE_SECONDS = 0.1;

export async function readFlowAges(
  sandbox: Sandbox,
  bridges: readonly string[],
): Promise<FlowAges> {
  const flows = new Map<string, Age>();
  const from = performance.now() / 1000;
  for (const bridge of bridges) {
    for (const line of (await sandbox.ofctl("dump-flows", bridge)).split("\n")) {
      const [, cookie = "", seconds, table = "", packets, rest = ""] = LINE.exec(line.trim()) ?? [];
      if (seconds === undefined) continue;
      const key = `${bridge} ${cookie}${table}${rest}`;
      flows.set(key, { seconds: Number(seconds), packets: Number(packets) });
    }
  }
  return { from, to: performance.now() / 1000, flows };
}

/**
 * Flows that have gone, come, or been put in place anew between two readings: one that is added
 * again begins at the age of nothing, even when it is the same.
 */
export function touchedBetween(before: FlowAges, after: FlowAges): string[] {
  const between = after.from - before.to - TOLERANCE_SECONDS;
  const gone = [...before.flows.keys()].filter((key) => !after.flows.has(key));
  const fresh = [...after.flows].flatMap(([key, { seconds, packets }]) => {
    const was = before.flows.get(key);
    const stayed = was !== undefined && seconds >= was.seconds + between && packets >= was.packets;
    return stayed ? [] : [key];
  });
  return [...gone, ...fresh];
}

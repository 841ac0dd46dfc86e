import { dryRun } from "../ovs/e2e/resilience-scene.js";
import type { Scene } from "./load/scene.js";
import { findOrphans } from "./orphans.js";
import { findStrays } from "./strays.js";
import type { Summary } from "./summary.js";
import { now, pace } from "./time.js";

const SETTLE_LIMIT_MS = 15_000;
/** Connections of UDP are remembered so long after the last packet, and a little. */
const CONNTRACK_LIMIT_MS = 100_000;
const POLL_MS = 200;
const MOST_LINES = 20;

/** To be called while the load is paused: everything that must hold at any quiet moment. */
export async function judge(scene: Scene, summary: Summary, when: string): Promise<void> {
  const note = (list: string[], lines: readonly string[]) => {
    for (const line of lines) if (list.length < MOST_LINES) list.push(`${when}: ${line}`);
  };
  note(summary.lostWrites, await scene.ledger.verify());
  note(summary.strayWrites, await findStrays(scene));
  note(summary.leaks, judgeArrivals(scene, summary));
  note(summary.differences, await untilNothing(() => differences(scene), SETTLE_LIMIT_MS));
  for (const { failure } of scene.world.probers)
    if (failure !== undefined) throw new Error(failure);
}

/** Nothing may be left on the switch that belongs to nothing, also not for a while. */
export async function judgeOrphans(scene: Scene, summary: Summary): Promise<void> {
  summary.orphans.push(...(await untilNothing(() => findOrphans(scene.world), CONNTRACK_LIMIT_MS)));
}

function judgeArrivals({ world, windows }: Scene, summary: Summary): string[] {
  const arrivals = world.takeArrivals();
  summary.probesArrived += arrivals.length;
  const leaks = arrivals.flatMap((arrival) => windows.judge(arrival) ?? []);
  summary.probesLeaked += leaks.length;
  return leaks.map(
    ({ from, to, sentAt, verdict }) => `site ${from} to ${to} at ${sentAt.toFixed(1)}: ${verdict}`,
  );
}

/** What separates the switch from intent, and what is on our bridges that is nobody's. */
async function differences({ world }: Scene): Promise<string[]> {
  const { bridges } = await dryRun(world);
  return bridges.flatMap(({ bridge, missing, changed, unexpected, foreign }) =>
    Object.entries({ missing, changed, unexpected, foreign }).flatMap(([kind, flows]) =>
      flows.map((flow) => `${bridge}: ${kind} ${JSON.stringify(flow)}`),
    ),
  );
}

/** @returns what was still found at the end of the time */
async function untilNothing(find: () => Promise<string[]>, limitMs: number): Promise<string[]> {
  const deadline = now() + limitMs;
  for (;;) {
    const found = await find().catch((error: unknown) => [`cannot be told: ${String(error)}`]);
    if (found.length === 0 || now() > deadline) return found;
    await pace(POLL_MS);
  }
}

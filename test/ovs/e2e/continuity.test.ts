import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FlowMonitor } from "../../../src/backends/ovs/flow-watch/flow-monitor.js";
import { peer } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { readFlowAges, touchedBetween } from "./flow-ages.js";
import { expectInSync, only } from "./resilience-scene.js";
import { goOn, lossesOf, Streams, UNBROKEN } from "./streams.js";
import { exchangeOf } from "./switch-state.js";
import { type Site, startWorld, type World } from "./world.js";

/** Processes that wait for their turn on a busy machine were seen to be late by 0.3 s. */
const LONGEST_GAP_MS = 1500;
/** Datagrams that are sent while the daemon is away, and after it is back. */
const A_WHILE = 100;

let world: World;
let a: Site;
let b: Site;
let bridges: string[];

beforeAll(async () => {
  world = await startWorld({ PATCHBAY_RESYNC_SECONDS: "1" });
  [a, b] = await Promise.all([
    world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
    world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
  ]);
  await peer(a, b, { accept: true });
  bridges = [a.vpc.bridge, b.vpc.bridge, await exchangeOf(world.sandbox)];
});

explainFailures(() => world);

afterAll(() => world?.dispose());

it.each([
  ["kill -9", () => world.daemon.kill()],
  ["SIGTERM", () => world.daemon.stop()],
] as const)("traffic does not notice that the daemon is restarted: %s", async (_, end) => {
  await expectInSync(world);
  const streams = new Streams();
  const stream = await streams.start(only(a), only(b), "send");
  await goOn(stream, A_WHILE);
  const before = await readFlowAges(world.sandbox, bridges);
  const told = await watchFlows();

  await end();
  await goOn(stream, A_WHILE);
  await world.daemon.restart();
  await expectInSync(world);
  await goOn(stream, A_WHILE);

  const changes = await told.end();
  expect(touchedBetween(before, await readFlowAges(world.sandbox, bridges))).toEqual([]);
  expect(changes).toEqual([]);
  expect(await lossesOf(stream)).toMatchObject({ datagrams: 0, bytes: 0 });
  const { connections } = await stream.received();
  expect(connections).toMatchObject(UNBROKEN);
  expect(connections[0]?.longestGapMs).toBeLessThan(LONGEST_GAP_MS);
  streams.end();
});

/** What the switch itself tells of changes to flows, until it is asked to end. */
async function watchFlows(): Promise<{ end(): Promise<string[]> }> {
  const changes: string[] = [];
  const monitors = await Promise.all(
    bridges.map((bridge) =>
      FlowMonitor.open(join(world.sandbox.rundir, `${bridge}.mgmt`), {
        updates: (updates) => changes.push(...updates.map(({ kind }) => `${bridge}: ${kind}`)),
        ports: () => undefined,
        lost: (error) => changes.push(`${bridge}: ${error.message}`),
      }),
    ),
  );
  const allTold = (monitor: FlowMonitor) =>
    new Promise<void>((resolve) => monitor.barrier(() => resolve()));
  const end = async () => {
    await Promise.all(monitors.map(allTold));
    for (const monitor of monitors) monitor.close();
    return changes;
  };
  return { end };
}

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decodeCookie } from "../../../src/openflow/cookie.js";
import { LAYOUT } from "../../../src/pipeline/layout.js";
import { peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { expectInSync, only } from "./resilience-scene.js";
import { goOn, lossesOf, Streams, UNBROKEN } from "./streams.js";
import { exchangeOf, flowsOf } from "./switch-state.js";
import { type Site, startWorld, type World } from "./world.js";

const LATER_RELEASE = {
  NODE_OPTIONS: `--import=${fileURLToPath(new URL("later-release.mjs", import.meta.url))}`,
};
const LIMIT_MS = 20_000;
/** Datagrams of each stream, before and after. */
const A_WHILE = 100;

let world: World;
let a: Site;
let b: Site;
/** Peered with a; lets in nobody but its own. */
let closed: Site;
/** Peered with nobody. */
let stranger: Site;
let bridges: string[];

beforeAll(async () => {
  world = await startWorld({ PATCHBAY_RESYNC_SECONDS: "3600" });
  [a, b, closed, stranger] = await Promise.all([
    world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 2 }),
    world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
    world.site("closed", "10.3.0.0/16", { "10.3.1.0/24": 1 }, undefined, { closed: true }),
    world.site("stranger", "10.4.0.0/16", { "10.4.1.0/24": 1 }),
  ]);
  await peer(a, b, { accept: true });
  await peer(a, closed, { accept: true });
  const own = [a, b, closed, stranger].map(({ vpc }) => vpc.bridge);
  bridges = [...own, await exchangeOf(world.sandbox)];
});

explainFailures(() => world);

afterAll(() => world?.dispose());

it.each([
  ["a later layout", LATER_RELEASE, LAYOUT + 1],
  ["back to the layout before", {}, LAYOUT],
] as const)(
  "nothing is lost, and nothing let through, on the way to %s",
  async (_, env, layout) => {
    // What time does (max-idle, 10 s): the datapath still knows the layout of two restarts ago.
    await world.sandbox.appctl("revalidator/purge");
    const streams = new Streams();
    const { passing, transfers, forbidden } = await startAll(streams);
    const all = [...passing, ...forbidden];
    await Promise.all(all.map((stream) => goOn(stream, A_WHILE)));

    await world.daemon.restart(env);
    await waitFor(async () => (await layoutsOf(bridges)) === `${layout}`, LIMIT_MS, "the layout");
    await expectInSync(world);
    await Promise.all(all.map((stream) => goOn(stream, A_WHILE)));

    for (const stream of passing) {
      const { name } = stream;
      expect(await lossesOf(stream)).toEqual({ name, datagrams: 0, bytes: 0 });
    }
    for (const stream of transfers) {
      expect((await stream.received()).connections).toMatchObject(UNBROKEN);
    }
    for (const stream of forbidden) {
      expect((await stream.received()).datagrams[stream.label], stream.name).toBeUndefined();
    }
    streams.end();
  },
);

/** Across the peering and inside the VPC, and what neither peering nor group admits. */
async function startAll(streams: Streams) {
  const [a1, a2] = a.workloads;
  if (a1 === undefined || a2 === undefined) throw new Error("the site a lacks workloads");
  const [b1, closed1, stranger1] = [only(b), only(closed), only(stranger)];
  const transfers = [await streams.start(a1, b1, "send"), await streams.start(a2, a1, "send")];
  const probes = [await streams.start(b1, a1, "probe"), await streams.start(closed1, a1, "probe")];
  const forbidden = [
    await streams.start(a2, closed1, "probe"),
    await streams.start(b1, stranger1, "probe"),
    await streams.start(stranger1, b1, "probe"),
  ];
  return { passing: [...transfers, ...probes], transfers, forbidden };
}

/** The layouts of all flows there are. */
async function layoutsOf(names: readonly string[]): Promise<string> {
  const flows = (await Promise.all(names.map((name) => flowsOf(world.sandbox, name)))).flat();
  const layouts = flows.flatMap((flow) => {
    const cookie = /cookie=(0x[0-9a-f]+)/.exec(flow)?.[1];
    return cookie === undefined ? [] : [decodeCookie(BigInt(cookie)).layout];
  });
  return [...new Set(layouts)].sort().join();
}

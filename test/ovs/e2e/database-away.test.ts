import { afterAll, beforeAll, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { expectInSync, only } from "./resilience-scene.js";
import { exchangeOf, flowsOf } from "./switch-state.js";
import { type Site, startWorld, type World } from "./world.js";

const LIMIT_MS = 20_000;

let server: PostgresServer;
let world: World;
let a: Site;
let b: Site;

beforeAll(async () => {
  server = await startPostgres();
  world = await startWorld({ DATABASE_URL: await server.createDatabase() });
  [a, b] = await Promise.all([
    world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
    world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
  ]);
  await peer(a, b, { accept: true });
});

explainFailures(() => world);

afterAll(async () => {
  await world?.dispose();
  await server?.stop();
});

const reaches = () => only(a).host.ping(only(b).ip);

it("flows that somebody deletes, and those of a switch that restarts, come back without PostgreSQL", async () => {
  await server.kill();
  await world.sandbox.ofctl("del-flows", a.vpc.bridge);
  await world.sandbox.ofctl("del-flows", await exchangeOf(world.sandbox));
  await waitFor(reaches, LIMIT_MS, "the deleted flows");

  await world.sandbox.killVswitchd("SIGKILL");
  await world.sandbox.startAgain();
  await waitFor(reaches, LIMIT_MS, "the flows of a restarted switch");
  expect((await flowsOf(world.sandbox, b.vpc.bridge)).length).toBeGreaterThan(1);
  const [status] = await world.operator.send("POST", "/data-plane/reconcile", { dryRun: true });
  expect(status).toBe(503);

  await server.restart();
  await waitFor(isStored, LIMIT_MS, "the event of the repair");
  await expectInSync(world);
});

/** What happened meanwhile is told once there is a database to tell it to. */
async function isStored(): Promise<boolean> {
  const [status, events] = await world.operator.send("GET", "/events?after=0&limit=1000");
  if (status !== 200) return false;
  return JSON.stringify(events).includes(`"action":"repair"`);
}

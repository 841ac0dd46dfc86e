import { afterAll, beforeAll, expect, it } from "vitest";
import { TRAITS } from "../../support/datapath.js";
import { peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { startDownload } from "./download.js";
import { expectInSync, only } from "./resilience-scene.js";
import { goOn, Streams, UNBROKEN } from "./streams.js";
import { type Site, startWorld, type World } from "./world.js";

/** TCP doubles its pauses while nothing passes. */
const LIMIT_MS = 60_000;
const A_WHILE = 200;

let world: World;
/** Lets out everything and in nobody but its own, as VPCs do by default. */
let caller: Site;
let called: Site;

beforeAll(async () => {
  world = await startWorld();
  [caller, called] = await Promise.all([
    world.site("caller", "10.1.0.0/16", { "10.1.1.0/24": 1 }, undefined, { closed: true }),
    world.site("called", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
  ]);
  await peer(caller, called, { accept: true });
});

explainFailures(() => world);

afterAll(() => world?.dispose());

it("after a restart of ovs-vswitchd a connection goes on, where it was forgotten once its caller has sent", async () => {
  const streams = new Streams();
  const upload = await streams.start(only(caller), only(called), "send");
  const download = await startDownload(only(caller), only(called), "silent");
  const kept = await startDownload(only(caller), only(called), "keep-alive");
  for (const each of [download, kept]) {
    await waitFor(async () => (await each.received()) > 0, LIMIT_MS, "the downloads");
  }

  await world.sandbox.killVswitchd();
  await world.sandbox.startAgain();
  await expectInSync(world);

  const bytesOf = async () => (await upload.received()).connections[0]?.bytes ?? 0;
  const uploaded = await bytesOf();
  const [stuckAt, keptAt] = [await download.received(), await kept.received()];
  await waitFor(async () => (await bytesOf()) > uploaded, LIMIT_MS, "the upload to go on");
  await waitFor(async () => (await kept.received()) > keptAt, LIMIT_MS, "the one kept alive");
  await goOn(upload, A_WHILE);
  expect((await upload.received()).connections).toMatchObject(UNBROKEN);

  if (TRAITS[world.sandbox.datapath].forgetsConnectionsAtRestart) {
    expect(await download.received(), "who was called is not taken for a caller").toBe(stuckAt);
    await download.say();
  }
  await waitFor(async () => (await download.received()) > stuckAt, LIMIT_MS, "the download");
  kept.end();
  download.end();
  streams.end();
});

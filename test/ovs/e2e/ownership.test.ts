import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peer } from "../../support/rest.js";
import { uniqueName } from "../../support/sandbox.js";
import { explainFailures } from "./diagnosis.js";
import { dryRun, expectInSync, expectTraffic, only } from "./resilience-scene.js";
import { bridgesWith, exchangeOf, flowsOf } from "./switch-state.js";
import { joinWorld, type Site, startWorld, type World } from "./world.js";

const PURGE = fileURLToPath(new URL("../../../ovs/purge.sh", import.meta.url));
const SETTINGS = { PATCHBAY_RESYNC_SECONDS: "1" };

/** An installation with two peered VPCs, each with one workload. */
interface Installation {
  readonly world: World;
  readonly id: string;
  readonly left: Site;
  readonly right: Site;
}

let first: Installation;
let second: Installation;

beforeAll(async () => {
  const world = await startWorld(SETTINGS);
  first = await populate(world);
  second = await populate(await joinWorld(world.sandbox, SETTINGS));
});

explainFailures(() => first?.world);

afterAll(async () => {
  await second?.world.dispose();
  await first?.world.dispose();
});

/** The same blocks in every installation: they have nothing to do with one another. */
async function populate(world: World): Promise<Installation> {
  const [left, right] = await Promise.all([
    world.site("left", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
    world.site("right", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
  ]);
  await peer(left, right, { accept: true });
  const id = (await readFile(join(world.daemon.dataDir, "installation-id"), "utf8")).trim();
  return { world, id, left, right };
}

function bridgesOf({ world, id }: Installation): Promise<string[]> {
  return bridgesWith(world.sandbox, { "patchbay-installation": id });
}

/** Every flow on every bridge of an installation. */
async function allFlows(installation: Installation): Promise<unknown> {
  const bridges = await bridgesOf(installation);
  return Promise.all(bridges.map((bridge) => flowsOf(installation.world.sandbox, bridge)));
}

async function expectPeersTalk({ left, right }: Installation): Promise<void> {
  await expectTraffic(only(left), only(right));
}

describe("what is not ours", () => {
  it("is left alone: a bridge of somebody else", async () => {
    const { world } = first;
    const bridge = uniqueName("pbf");
    await world.sandbox.addBridge(bridge);
    await world.sandbox.ofctl("add-flow", bridge, "priority=7,ip,actions=normal");
    const before = await flowsOf(world.sandbox, bridge);
    expect(before).toHaveLength(1);
    await world.operator.call("POST", "/data-plane/reconcile");
    await world.daemon.restart();
    await expectInSync(world);
    expect(await flowsOf(world.sandbox, bridge)).toEqual(before);
    await expectPeersTalk(first);
  });

  it("is left alone, and reported: a flow of somebody else on our bridges", async () => {
    const { world, left } = first;
    const bridges = [left.vpc.bridge, await exchangeOf(world.sandbox, first.id)];
    const foreign = "cookie=0x42,table=0,priority=1,in_port=4711,actions=drop";
    for (const bridge of bridges) await world.sandbox.ofctl("add-flow", bridge, foreign);
    await world.operator.call("POST", "/data-plane/reconcile");
    for (const bridge of bridges) {
      const found = (await flowsOf(world.sandbox, bridge)).filter((it) =>
        it.includes("in_port=4711"),
      );
      expect(found).toHaveLength(1);
      const report = (await dryRun(world)).bridges.find((it) => it.bridge === bridge);
      expect(report?.foreign).toEqual([expect.stringContaining("in_port=4711")]);
    }
    await expectPeersTalk(first);
  });

  it("is left alone: another installation on the same switch", async () => {
    await Promise.all([first, second].map(expectPeersTalk));
    const before = await allFlows(second);
    const subnet = first.left.subnets[0]?.id ?? "";
    const eni = await first.left.tenant.networkInterface(subnet);
    const late = await first.world.plug("late", first.left, eni);
    await first.left.tenant.untilBound(eni.id);
    for (const bridge of await bridgesOf(first)) {
      await first.world.sandbox.ofctl("del-flows", bridge);
    }
    await first.world.daemon.restart();
    await Promise.all([first, second].map(({ world }) => expectInSync(world)));
    expect(await allFlows(second)).toEqual(before);
    await Promise.all([expectTraffic(late, only(first.right)), expectPeersTalk(second)]);
  });
});

describe("ovs/purge.sh", () => {
  it("removes one installation and nothing else", async () => {
    const { sandbox, daemon } = first.world;
    const foreign = uniqueName("pbf");
    await sandbox.addBridge(foreign);
    const bridges = (await sandbox.vsctl("list-br")).split("\n");
    const own = await bridgesOf(first);
    expect(own).toHaveLength(3);
    await daemon.stop();

    const printed = await sandbox.run(PURGE, ["--yes", daemon.dataDir]);
    for (const bridge of own) expect(printed).toContain(bridge);
    const left = (await sandbox.vsctl("list-br")).split("\n");
    expect(left.sort()).toEqual(bridges.filter((bridge) => !own.includes(bridge)).sort());
    await expectPeersTalk(second);
    await expectInSync(second.world);
  });
});

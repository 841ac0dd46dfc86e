import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Peering, peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import {
  expectBack,
  expectFlows,
  expectInSync,
  expectNoLeak,
  expectTraffic,
  only,
  type Scene,
  startScene,
} from "./resilience-scene.js";
import { flowsOf, uplinkOf } from "./switch-state.js";
import { type Site, untilAvailable } from "./world.js";

const LIMIT_MS = 20_000;

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

explainFailures(() => scene?.world);

afterAll(() => scene?.world.dispose());

// Whatever a test does to the switch or the daemon, those who are not peers never hear of it.
afterEach(() => expectNoLeak(scene));

const BRIDGES = ["requester", "accepter", "exchange"] as const;

function bridgeOf(role: (typeof BRIDGES)[number]): string {
  const { a, b, exchange } = scene;
  return { requester: a.vpc.bridge, accepter: b.vpc.bridge, exchange }[role];
}

/** Plugs a site's workload in again where its bridge has been made anew. */
async function plugAgain({ vpc, vpcId, tenant, workloads }: Site): Promise<void> {
  const { sandbox } = scene.world;
  await waitFor(
    async () => (await sandbox.vsctl("list-br")).split("\n").includes(vpc.bridge),
    LIMIT_MS,
    `the bridge of ${vpcId}`,
  );
  for (const { host, eni } of workloads) {
    const claim = ["--", "set", "Interface", host.port, `external_ids:iface-id=${eni.id}`];
    await sandbox.vsctl("--may-exist", "add-port", vpc.bridge, host.port, ...claim);
    await tenant.untilBound(eni.id);
  }
}

describe.each(BRIDGES)("a tampered bridge of the %s", (role) => {
  it("gets its flows back when they are deleted", async () => {
    const bridge = bridgeOf(role);
    const flows = await flowsOf(scene.world.sandbox, bridge);
    await scene.world.sandbox.ofctl("del-flows", bridge);
    await expectFlows(scene, bridge, flows);
    await expectBack(scene);
  });

  it("is rid of flows that are marked as ours and are none", async () => {
    const { sandbox } = scene.world;
    const bridge = bridgeOf(role);
    const flows = await flowsOf(sandbox, bridge);
    const cookie = /cookie=0x[0-9a-f]+/.exec(flows[0] ?? "")?.[0];
    // Matches what the prober does not send: it must go all the same.
    const stray = `${cookie},table=0,priority=999,udp,tp_dst=4711,actions=normal`;
    await sandbox.ofctl("add-flow", bridge, stray);
    await expectFlows(scene, bridge, flows);
    await expectBack(scene);
  });

  it("gets its fail mode back, and its flows", async () => {
    const { sandbox } = scene.world;
    const bridge = bridgeOf(role);
    const flows = await flowsOf(sandbox, bridge);
    await sandbox.vsctl("set-fail-mode", bridge, "standalone");
    const isSecure = async () => (await sandbox.vsctl("get-fail-mode", bridge)).trim() === "secure";
    await waitFor(isSecure, LIMIT_MS, "fail_mode=secure");
    await expectFlows(scene, bridge, flows);
    await expectBack(scene);
  });
});

describe("lost parts of the switch are made again", () => {
  it("a patch port", async () => {
    const { world, a } = scene;
    await world.sandbox.vsctl("del-port", await uplinkOf(world.sandbox, a.vpc.bridge));
    await expectBack(scene);
    await expectInSync(world);
  });

  it("but not a patch port that works, whatever error still stands beside it", async () => {
    const { world, a } = scene;
    const uplink = await uplinkOf(world.sandbox, a.vpc.bridge);
    const flows = await flowsOf(world.sandbox, scene.exchange);
    // ovs-vswitchd leaves such an error now and then when the peer has gone and come back.
    const stale = `error="No usable peer '${uplink}' exists in '${world.sandbox.datapath}' datapath."`;
    await world.sandbox.vsctl("--no-wait", "set", "Interface", uplink, stale);
    await world.operator.call("POST", "/data-plane/reconcile");
    expect(await flowsOf(world.sandbox, scene.exchange)).toEqual(flows);
    expect((await untilAvailable(a)).dataPlane.state).toBe("programmed");
    await expectBack(scene);
  });

  it("a VPC's bridge", async () => {
    const { world, a } = scene;
    await world.sandbox.vsctl("del-br", a.vpc.bridge);
    await plugAgain(a);
    await expectBack(scene);
    await expectInSync(world);
  });

  it("the exchange", async () => {
    const { world, exchange } = scene;
    await world.sandbox.vsctl("del-br", exchange);
    await expectBack(scene);
    await expectInSync(world);
  });
});

describe("a killed switch", () => {
  it("that comes back gets everything back: ovs-vswitchd", async () => {
    const { world } = scene;
    await world.sandbox.killVswitchd("SIGKILL");
    await world.sandbox.startAgain();
    await expectBack(scene);
    await expectInSync(world);
  });

  it("that comes back gets everything back: ovsdb-server", async () => {
    const { world } = scene;
    await world.sandbox.killOvsdb("SIGKILL");
    await world.sandbox.startAgain();
    await expectBack(scene);
    await expectInSync(world);
  });

  it("keeps an accepted peering waiting, which says why, until it is back", async () => {
    const { world, b, guest } = scene;
    const request = await peer(guest, b, { accept: false });
    await world.sandbox.killVswitchd("SIGKILL");
    const accepted = await b.tenant.acceptPeering(request.id, 1);
    expect(accepted.state).toBe("provisioning");
    const shown = () => b.tenant.get<Peering>(`/vpc-peerings/${request.id}`);
    const waiting = await waitFor(
      async () => {
        const found = await shown();
        return found.dataPlane.state === "error" && found;
      },
      LIMIT_MS,
      "the reason",
    );
    expect(waiting.state).toBe("provisioning");
    expect(waiting.dataPlane.message).toMatch(/\w/);
    const established = await b.tenant.get<Peering>(`/vpc-peerings/${scene.peeringId}`);
    expect(established).toMatchObject({ state: "active", dataPlane: { state: "error" } });

    await world.sandbox.startAgain();
    await waitFor(async () => (await shown()).state === "active", LIMIT_MS, "active");
    await expectTraffic(only(guest), only(b));
    await expectBack(scene);
    expect(await b.tenant.deletePeering(request.id)).toMatchObject({ state: "deleted" });
  });
});

describe("a daemon that is away", () => {
  it("ends at SIGTERM with 0 and leaves the flows as they are", async () => {
    const { world } = scene;
    const read = () => Promise.all(BRIDGES.map((role) => flowsOf(world.sandbox, bridgeOf(role))));
    const before = await read();
    expect(await world.daemon.stop()).toBe(0);
    expect(await read()).toEqual(before);
    await expectBack(scene);
    await world.daemon.restart();
    expect(await read()).toEqual(before);
  });

  it("is not missed by traffic when killed, and comes back to its state", async () => {
    const { world, a, b } = scene;
    const before = await stateOf(a);
    await only(a).streamTo(only(b));
    await world.daemon.kill();
    expect(await only(a).host.countPings(only(b).ip, 5)).toBe(5);
    const during = await only(b).received();
    await waitFor(async () => (await only(b).received()) > during, LIMIT_MS, "the transfer");
    await world.daemon.restart();
    await expectInSync(world);
    expect(await stateOf(a)).toEqual(before);
    const after = await only(b).received();
    await waitFor(async () => (await only(b).received()) > after, LIMIT_MS, "the transfer");
  });

  it("finishes the acceptance that it was killed upon", async () => {
    const { world, b, guest } = scene;
    const request = await peer(guest, b, { accept: false });
    await b.tenant.acceptPeering(request.id, 0);
    await world.daemon.kill();
    await world.daemon.restart();
    const isActive = async () =>
      (await b.tenant.get<Peering>(`/vpc-peerings/${request.id}`)).state === "active";
    await waitFor(isActive, LIMIT_MS, "active");
    await expectTraffic(only(guest), only(b));
    await b.tenant.deletePeering(request.id, 0);
    await world.daemon.kill();
    await world.daemon.restart();
    const isDeleted = async () =>
      (await b.tenant.get<Peering>(`/vpc-peerings/${request.id}`)).state === "deleted";
    await waitFor(isDeleted, LIMIT_MS, "deleted");
    expect(await only(guest).host.ping(only(b).ip)).toBe(false);
  });

  it("repairs what was done to a bridge meanwhile", async () => {
    const { world, a } = scene;
    const flows = await flowsOf(world.sandbox, a.vpc.bridge);
    await world.daemon.kill();
    await world.sandbox.ofctl("del-flows", a.vpc.bridge);
    expect(await only(a).host.ping(only(scene.b).ip)).toBe(false);
    await world.daemon.restart();
    await expectFlows(scene, a.vpc.bridge, flows);
    await expectBack(scene);
  });

  it("programs a switch that was restarted meanwhile", async () => {
    const { world } = scene;
    await world.daemon.kill();
    await world.sandbox.killVswitchd("SIGKILL");
    await world.sandbox.startAgain();
    await world.daemon.restart();
    await expectBack(scene);
    await expectInSync(world);
  });
});

/** What the tenant of a site has, once the switch has followed. */
async function stateOf(site: Site): Promise<unknown> {
  const vpc = await untilAvailable(site);
  const { items } = await site.tenant.get<{ items: Peering[] }>("/vpc-peerings");
  // Generations and words about the switch may differ from one start to the next.
  return [vpc, ...items].map((resource) => ({ ...resource, dataPlane: undefined }));
}

import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRAITS } from "../../support/datapath.js";
import { type NetworkInterface, peer, type TenantClient, waitFor } from "../../support/rest.js";
import { uniqueName } from "../../support/sandbox.js";
import { ELSEWHERE, GONE, ip, makeLink, type Place, setUpFarEnd, WAYS } from "./dead-port-ways.js";
import { explainFailures } from "./diagnosis.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

/** What is to be known within a second, on a machine that is busy with other things. */
const LIMIT_MS = 5000;
/** A switch, a database or a daemon may have to start first. */
const HEALING_LIMIT_MS = 15_000;

interface Reachability {
  readonly reachable: boolean;
  readonly stoppedBy?: string;
  readonly reason?: string;
  readonly confirmedBySwitch: boolean;
}

let world: World;
let home: Site;
let stranger: Site;
let place: Place;
let neighbour: Workload;
let peerOutside: Workload;

beforeAll(async () => {
  world = await startWorld();
  await ip("netns add", ELSEWHERE);
  home = await world.site("home", "10.1.0.0/16", { "10.1.1.0/24": 2 });
  stranger = await world.site("stranger", "10.2.0.0/16", { "10.2.1.0/24": 1 });
  await peer(home, stranger, { accept: true });
  const [victim, other] = home.workloads;
  const [outside] = stranger.workloads;
  if (victim === undefined || other === undefined || outside === undefined) throw new Error("none");
  place = { world, bridge: home.vpc.bridge, workload: victim };
  neighbour = other;
  peerOutside = outside;
});

explainFailures(() => world);

afterAll(async () => {
  await world?.dispose();
  await ip("netns del", ELSEWHERE);
});

function ask(tenant: TenantClient, from: Workload, to: Workload): Promise<Reachability> {
  return tenant.call("POST", "/reachability", { from: from.eni.id, to: to.ip, protocol: "icmp" });
}

type Known = Pick<Workload, "name" | "eni">;

function shown({ eni }: Pick<Known, "eni">): Promise<NetworkInterface> {
  return home.tenant.get(`/network-interfaces/${eni.id}`);
}

/** Waits until the owner is told that the port is dead and why; another reason may come first. */
function untilDead(workload: Known, reason: RegExp): Promise<NetworkInterface> {
  const isDead = async () => {
    const found = await shown(workload);
    const { state, message } = found.dataPlane;
    return state === "error" && reason.test(message ?? "") && found;
  };
  return waitFor(isDead, LIMIT_MS, `${workload.name} to be shown dead: ${reason}`);
}

function untilAnswers(
  from: Pick<Workload, "name" | "host">,
  to: Pick<Workload, "name" | "ip">,
): Promise<true> {
  return waitFor(
    () => from.host.ping(to.ip),
    HEALING_LIMIT_MS,
    `${to.name} to answer ${from.name}`,
  );
}

async function expectAlive(): Promise<void> {
  const { workload } = place;
  await home.tenant.untilBound(workload.eni.id, HEALING_LIMIT_MS);
  await untilAnswers(neighbour, workload);
  await untilAnswers(peerOutside, workload);
  const fine = { reachable: true, confirmedBySwitch: true };
  expect(await ask(home.tenant, neighbour, workload)).toMatchObject(fine);
  expect(await ask(home.tenant, workload, peerOutside)).toMatchObject(fine);
  expect(await ask(stranger.tenant, peerOutside, workload)).toMatchObject(fine);
}

describe("a port is shown dead, and heals by itself, when", () => {
  it.each(WAYS)("$name", async ({ kill, heal, reason }) => {
    const { workload } = place;
    await kill(place);
    const { state, dataPlane } = await untilDead(workload, reason);
    expect(state).toBe("available");
    expect(dataPlane.message).toContain(workload.host.port);
    expect(await neighbour.host.ping(workload.ip)).toBe(false);

    const from = await ask(home.tenant, workload, neighbour);
    expect(from).toMatchObject({ reachable: false, stoppedBy: "senderPortDead" });
    const to = await ask(home.tenant, neighbour, workload);
    expect(to).toMatchObject({ reachable: false, stoppedBy: "receiverPortDead" });
    for (const answer of [from, to]) {
      expect(answer.confirmedBySwitch).toBe(false);
      expect(answer.reason).toMatch(reason);
    }
    const outside = await ask(stranger.tenant, peerOutside, workload);
    expect(outside).toMatchObject({ reachable: false, stoppedBy: "farSide" });
    expect(JSON.stringify(outside)).not.toContain(workload.host.port);

    await heal(place);
    await expectAlive();
  });
});

it("hears a device that took the place of another in one moment", async () => {
  const { workload } = place;
  await ip("link del", workload.host.port);
  await makeLink({ world, workload });
  await expectAlive();
});

it("leaves a port alone whose device is back until that is set up", async () => {
  const { workload } = place;
  const { port } = workload.host;
  const isOpenedAgain = TRAITS[world.sandbox.datapath].readsPortsFromSockets;
  const number = () => world.sandbox.vsctl("get", "Interface", port, "ofport");
  const before = await number();
  await ip("link set", port, "netns", ELSEWHERE);
  await untilDead(workload, GONE);
  await ip("-n", ELSEWHERE, "link set", port, "netns 1");
  await untilDead(workload, /set down/);
  await world.operator.call("POST", "/data-plane/reconcile");
  if (isOpenedAgain) expect(await number()).toBe(before);
  await ip("link set", port, "up");
  await setUpFarEnd(place);
  await expectAlive();
  if (isOpenedAgain) expect(await number()).not.toBe(before);
});

it("hears a device that was made anew while nobody watched", async () => {
  const { workload } = place;
  await world.daemon.stop();
  await ip("link del", workload.host.port);
  await makeLink({ world, workload });
  await world.daemon.restart();
  await expectAlive();
});

it("hears a device that took the name of another, which lives on", async () => {
  const { workload } = place;
  const { port, netns } = workload.host;
  const old = uniqueName("pbo");
  await ip("link set", port, "down");
  await ip("link set", port, "name", old);
  await ip("-n", netns, "addr flush dev eth0");
  await ip("-n", netns, "link set eth0 name eth1");
  await makeLink({ world, workload });
  await expectAlive();
  await ip("link del", old);
  await expectAlive();
});

it("hears a device that was made anew while the database was away", async () => {
  const { workload } = place;
  await world.sandbox.killOvsdb("SIGTERM");
  await ip("link del", workload.host.port);
  await makeLink({ world, workload });
  await world.sandbox.startAgain();
  await expectAlive();
});

it("says that a port is on the bridge of another VPC, and whose it is to nobody", async () => {
  const { workload, bridge } = place;
  const { port } = workload.host;
  const moveTo = async (to: string) => {
    const settings = ["set", "Interface", port, `external_ids:iface-id=${workload.eni.id}`];
    await world.sandbox.vsctl("del-port", port, "--", "add-port", to, port, "--", ...settings);
  };
  await moveTo(stranger.vpc.bridge);
  const { state, dataPlane } = await untilDead(workload, /the bridge of another VPC/);
  expect(state).toBe("available");
  expect(dataPlane.message).not.toContain(stranger.vpc.bridge);
  await moveTo(bridge);
  await expectAlive();
});

it("counts dead ports in the metrics", async () => {
  const count = async () => {
    const answer = await fetch(`${world.daemon.url}/metrics`, { headers: { connection: "close" } });
    return /^patchbay_ports_dead (\d+)$/m.exec(await answer.text())?.[1];
  };
  const { port } = place.workload.host;
  expect(await count()).toBe("0");
  await ip("link set", port, "down");
  await waitFor(async () => (await count()) === "1", LIMIT_MS, "the metric");
  await ip("link set", port, "up");
  await expectAlive();
  expect(await count()).toBe("0");
});

it("names a port whose device does not exist yet, and takes it up once it does", async () => {
  const [subnet] = home.subnets;
  if (subnet === undefined) throw new Error("no subnet");
  const eni = await home.tenant.networkInterface(subnet.id);
  const host = await world.hosts.create({
    bridge: home.vpc.bridge,
    address: `${eni.privateIp}/24`,
    mac: eni.macAddress,
    gateway: eni.gateway,
  });
  await world.sandbox.vsctl("del-port", host.port);
  await ip("link del", host.port);
  const settings = ["set", "Interface", host.port, `external_ids:iface-id=${eni.id}`];
  const { bridge } = home.vpc;
  await world.sandbox.vsctl("--no-wait", "add-port", bridge, host.port, "--", ...settings);
  const workload = { name: "late", ip: eni.privateIp, eni, host };
  const { state, dataPlane } = await untilDead(workload, /No such device/);
  expect(state).toBe("available");
  expect(dataPlane.message).toContain(`port ${host.port} on bridge ${bridge}`);
  await makeLink({ world, workload });
  await home.tenant.untilBound(eni.id, LIMIT_MS);
  await untilAnswers(neighbour, workload);
});

async function plugInternalPort(): Promise<{ eni: NetworkInterface; name: string }> {
  const [subnet] = home.subnets;
  if (subnet === undefined) throw new Error("no subnet");
  const eni = await home.tenant.networkInterface(subnet.id);
  const name = uniqueName("pbi");
  const settings = ["type=internal", `external_ids:iface-id=${eni.id}`];
  const { bridge } = home.vpc;
  await world.sandbox.vsctl("add-port", bridge, name, "--", "set", "Interface", name, ...settings);
  expect((await untilDead({ eni, name }, /set down/)).state).toBe("available");
  return { eni, name };
}

async function expectToWorkElsewhere(eni: NetworkInterface, device: string): Promise<void> {
  await ip("-n", ELSEWHERE, "link set", device, "address", eni.macAddress);
  await ip("-n", ELSEWHERE, "addr add", `${eni.privateIp}/24`, "dev", device);
  await ip("-n", ELSEWHERE, "link set", device, "up");
  await home.tenant.untilBound(eni.id, LIMIT_MS);
  await untilAnswers(neighbour, { ip: eni.privateIp, name: device });
  await ip("-n", ELSEWHERE, "link set", device, "down");
}

it("does not take an internal port for dead that works in another namespace", async () => {
  const { eni, name } = await plugInternalPort();
  await ip("link set", name, "netns", ELSEWHERE);
  await expectToWorkElsewhere(eni, name);
});

it("does not take a renamed one for dead either, unless the switch has put another in its place", async () => {
  const { eni, name } = await plugInternalPort();
  await ip("link set", name, "netns", ELSEWHERE, "name eth9");
  if (TRAITS[world.sandbox.datapath].keepsRenamedInternalPorts) {
    await expectToWorkElsewhere(eni, "eth9");
    return;
  }
  await waitFor(
    () => existsSync(`/sys/class/net/${name}`),
    LIMIT_MS,
    "the switch to make the device anew",
  );
  expect((await untilDead({ eni, name }, /set down/)).state).toBe("available");
});

it.each(["no-receive", "no-forward"])("frees links of ours that are set to %s", async (setting) => {
  const { sandbox } = world;
  const list = await sandbox.vsctl("--bare", "--columns=name", "find", "Interface", "type=patch");
  for (const port of list.split("\n").filter(Boolean)) {
    const number = (await sandbox.vsctl("get", "Interface", port, "ofport")).trim();
    const bridge = (await sandbox.vsctl("port-to-br", port)).trim();
    await sandbox.ofctl("mod-port", bridge, number, setting);
    const isFree = async () => {
      const ports = await sandbox.ofctl("dump-ports-desc", bridge);
      return !/NO_RECV|NO_FWD/.test(ports);
    };
    await waitFor(isFree, LIMIT_MS, `${port} to be freed`);
  }
  await expectAlive();
});

it("says of a switch that waits for flows that nothing passes, until it does", async () => {
  const { sandbox } = world;
  const flag = "other_config:flow-restore-wait=true";
  await sandbox.vsctl("set", "Open_vSwitch", ".", flag);
  await expectAlive();
  await sandbox.killVswitchd("SIGTERM");
  await sandbox.startAgain();
  const { dataPlane } = await waitFor(
    async () => {
      const found = await shown(place.workload);
      return /flow-restore-wait/.test(found.dataPlane.message ?? "") && found;
    },
    LIMIT_MS,
    "the interface to be shown frozen",
  );
  expect(dataPlane.state).toBe("error");
  expect((await shown(place.workload)).state).toBe("available");
  const { forwardsWithoutSwitch } = TRAITS[sandbox.datapath];
  expect(await neighbour.host.ping(place.workload.ip)).toBe(forwardsWithoutSwitch);
  const answer = await ask(home.tenant, neighbour, place.workload);
  expect(answer).toMatchObject({ reachable: false, stoppedBy: "switchOutage" });
  expect(answer).toMatchObject({ confirmedBySwitch: false });
  const ready = await fetch(`${world.daemon.url}/readyz`, { headers: { connection: "close" } });
  expect(await ready.text()).toContain("flow-restore-wait");
  const { bridges } = await world.operator.get<{ bridges: { lastError: string }[] }>("/data-plane");
  for (const { lastError } of bridges) expect(lastError).toContain("flow-restore-wait");
  await sandbox.vsctl("remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait");
  await expectAlive();
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NetworkInterface } from "../../support/rest.js";
import { waitFor } from "../../support/rest.js";
import { udpFrame } from "./frames.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const LIMIT_MS = 10_000;
const SECONDARY = "10.1.1.50";
const SHARED = "10.1.1.100";
const VIRTUAL_MAC = "00:00:5e:00:01:07";

let world: World;
let near: Site;
let far: Site;

beforeAll(async () => {
  world = await startWorld();
  near = await world.site("near", "10.1.0.0/16", { "10.1.1.0/24": 3 });
  far = await world.site("far", "10.2.0.0/16", { "10.2.1.0/24": 1 });
  const asked = await near.tenant.requestPeering(near.vpcId, far);
  await far.tenant.acceptPeering(asked.id);
});

afterAll(() => world.dispose());

function host(index: number, site = near): Workload {
  const workload = site.workloads[index];
  if (workload === undefined) throw new Error(`no workload ${index}`);
  return workload;
}

async function patch(workload: Workload, addresses: object): Promise<NetworkInterface> {
  return near.tenant.call("PATCH", `/network-interfaces/${workload.eni.id}`, addresses);
}

async function has(workload: Workload, verb: "add" | "del", address: string): Promise<void> {
  await workload.host.exec("ip", "addr", verb, `${address}/32`, "dev", "eth0");
}

/** Whether a ping with this source comes back. */
async function pingsFrom(workload: Workload, source: string, to: string): Promise<boolean> {
  const ping = ["ping", "-n", "-q", "-c", "1", "-W", "1", "-I", source, to];
  return workload.host.exec(...(ping as [string, ...string[]])).then(
    () => true,
    () => false,
  );
}

const until = (what: string, isSo: () => Promise<boolean>) => waitFor(isSo, LIMIT_MS, what);

async function untilProgrammed(): Promise<void> {
  await until("the VPC is programmed", async () => {
    const vpc = await near.tenant.get<{ dataPlane: { state: string } }>(`/vpcs/${near.vpcId}`);
    return vpc.dataPlane.state === "programmed";
  });
}

describe("a secondary address", () => {
  it("is sent from and reached, in the VPC and by a peer, for as long as it is the interface's", async () => {
    const [owner, neighbour, peer] = [host(0), host(1), host(0, far)];
    await has(owner, "add", SECONDARY);
    expect(await pingsFrom(owner, SECONDARY, neighbour.ip)).toBe(false);
    expect(await neighbour.host.ping(SECONDARY)).toBe(false);

    const { secondaryPrivateIps } = await patch(owner, { secondaryPrivateIps: [SECONDARY] });
    expect(secondaryPrivateIps).toEqual([SECONDARY]);
    await until("a neighbour reaches it", () => neighbour.host.ping(SECONDARY));
    expect(await pingsFrom(owner, SECONDARY, neighbour.ip)).toBe(true);
    expect(await pingsFrom(owner, SECONDARY, peer.ip)).toBe(true);
    expect(await peer.host.ping(SECONDARY)).toBe(true);
    expect(await owner.host.ping(neighbour.ip)).toBe(true);

    await patch(owner, { secondaryPrivateIps: [] });
    await until("nobody reaches it", async () => !(await neighbour.host.ping(SECONDARY)));
    expect(await pingsFrom(owner, SECONDARY, neighbour.ip)).toBe(false);
    expect(await pingsFrom(owner, SECONDARY, peer.ip)).toBe(false);
    expect(await owner.host.ping(neighbour.ip)).toBe(true);
    await has(owner, "del", SECONDARY);
  });
});

describe("an address that two interfaces may have", () => {
  it("is that of whichever has it, without a call when it moves", async () => {
    const [first, second, client, peer] = [host(0), host(1), host(2), host(0, far)];
    const allowedAddressPairs = [{ ipAddress: SHARED }];
    for (const each of [first, second]) await patch(each, { allowedAddressPairs });
    await has(first, "add", SHARED);
    await until("the first has it", () => client.host.ping(SHARED));
    expect(await peer.host.ping(SHARED)).toBe(true);
    expect(await pingsFrom(first, SHARED, peer.ip)).toBe(true);
    expect(await second.host.ping(SHARED)).toBe(true);

    await has(first, "del", SHARED);
    expect(await client.host.ping(SHARED)).toBe(false);
    await has(second, "add", SHARED);
    expect(await client.host.ping(SHARED)).toBe(true);
    expect(await peer.host.ping(SHARED)).toBe(true);
    expect(await pingsFrom(client, SHARED, peer.ip)).toBe(false);
    await has(second, "del", SHARED);
  });

  it("is found reachable, as the switch says as well, and leaves no drift", async () => {
    await untilProgrammed();
    const question = { from: host(2).eni.id, to: SHARED, protocol: "icmp" };
    expect(await near.tenant.call("POST", "/reachability", question)).toMatchObject({
      reachable: true,
      confirmedBySwitch: true,
    });
    const drift = await world.operator.call<{ bridges: Record<string, unknown[]>[] }>(
      "POST",
      "/data-plane/reconcile",
      { dryRun: true },
    );
    for (const { missing, changed, unexpected } of drift.bridges) {
      expect([missing, changed, unexpected]).toEqual([[], [], []]);
    }
  });

  it("reaches others of the same block, whether they are shared or somebody's own", async () => {
    const [first, second] = [host(0), host(1)];
    const [one, other, owned] = ["10.1.1.65", "10.1.1.66", "10.1.1.67"];
    const allowedAddressPairs = [{ ipAddress: "10.1.1.64/28" }];
    await patch(first, { allowedAddressPairs });
    await patch(second, { allowedAddressPairs, secondaryPrivateIps: [owned] });
    await has(first, "add", one);
    for (const each of [other, owned]) await has(second, "add", each);
    await until("both are in force", () => pingsFrom(first, one, other));
    expect(await pingsFrom(second, other, one)).toBe(true);
    expect(await pingsFrom(first, one, owned)).toBe(true);
    await has(first, "del", one);
    for (const each of [other, owned]) await has(second, "del", each);
    await patch(second, { secondaryPrivateIps: [] });
  });

  it("may be sent from with a MAC address of its own, by those alone", async () => {
    const [holder, stranger, receiver] = [host(0), host(1), host(2)];
    const pair = { ipAddress: "10.1.1.64/28", macAddress: VIRTUAL_MAC };
    await patch(holder, { allowedAddressPairs: [pair] });
    await patch(stranger, { allowedAddressPairs: [] });
    const router = await receiver.routerMac();
    const frame = (label: string, from: string, source: string) =>
      udpFrame(label, { from, to: router }, { from: source, to: receiver.ip });
    const good = "virtual";
    await until("its frames arrive", async () => {
      await holder.send([frame(good, VIRTUAL_MAC, "10.1.1.70")]);
      return receiver.seen(good).count > 0;
    });
    await stranger.send([frame("stranger", VIRTUAL_MAC, "10.1.1.70")]);
    await holder.send([
      frame("own-mac", holder.mac, "10.1.1.70"),
      frame("outside", VIRTUAL_MAC, "10.1.1.80"),
      frame("own-address", VIRTUAL_MAC, holder.ip),
      frame("last", VIRTUAL_MAC, "10.1.1.79"),
    ]);
    await until("the last frame arrives", async () => receiver.seen("last").count > 0);
    for (const label of ["stranger", "own-mac", "outside", "own-address"]) {
      expect([label, receiver.seen(label).count]).toEqual([label, 0]);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NetworkInterface, type Peering, peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const LIMIT_MS = 10_000;

interface RouteTable {
  readonly id: string;
  readonly withheldRoutes: ReadonlyArray<{ destinationCidrBlock: string; target: string }>;
  readonly dataPlane: { readonly state: string };
}

let world: World;
let v: Site;
let w: Site;
let a: Site;
let toW: Peering;
let toA: Peering;

/** V is peered with W and with A, all by default. */
beforeAll(async () => {
  world = await startWorld();
  [v, w, a] = await Promise.all([
    world.site("v", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
    world.site("w", "10.3.0.0/16", { "10.3.5.0/24": 1 }),
    world.site("a", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
  ]);
  [toW, toA] = [await peer(v, w, { accept: true }), await peer(a, v, { accept: true })];
});

explainFailures(() => world);

afterAll(() => world?.dispose());

function only(workloads: readonly Workload[]): Workload {
  const [first] = workloads;
  if (first === undefined) throw new Error("nothing is plugged in");
  return first;
}

const sender = () => only(v.workloads);

/** Adds a block to a VPC that has all of its peers' confirmation. */
async function grow({ tenant, vpcId }: Site, cidrBlock: string): Promise<void> {
  await tenant.call("POST", `/vpcs/${vpcId}/cidr-blocks`, { cidrBlock });
}

/** Plugs a host into a new subnet of a site. */
async function settle(site: Site, block: string): Promise<Workload> {
  const subnet = await site.tenant.subnet(site.vpcId, block);
  const eni: NetworkInterface = await site.tenant.networkInterface(subnet.id);
  const workload = await world.plug("settled", { vpc: site.vpc, subnets: [subnet] }, eni);
  await site.tenant.untilBound(eni.id);
  return workload;
}

async function tableOfV(): Promise<RouteTable> {
  const path = `/route-tables?vpcId=${v.vpcId}`;
  const { items } = await v.tenant.get<{ items: RouteTable[] }>(path);
  const [main] = items;
  if (main === undefined) throw new Error("V has no route table");
  return main;
}

/** Waits until the switch has what V's routes are. */
async function untilProgrammed(): Promise<void> {
  const programmed = async () => (await tableOfV()).dataPlane.state === "programmed";
  await waitFor(programmed, LIMIT_MS, "the routes of V");
}

/** Echo requests that a host has received since it was made. */
async function echoesSeen({ host }: Workload): Promise<number> {
  const text = await host.exec("cat", "/proc/net/snmp");
  const [names, values] = text.split("\n").filter((line) => line.startsWith("Icmp:"));
  const at = names?.split(" ").indexOf("InEchos") ?? -1;
  return Number(values?.split(" ")[at]);
}

/** V's packets to an address that two hosts have: all come to one of them, none to the other. */
async function expectReached(meant: Workload, other: Workload): Promise<void> {
  expect(meant.ip).toBe(other.ip);
  const before = [await echoesSeen(meant), await echoesSeen(other)] as const;
  expect(await sender().host.countPings(meant.ip, 3)).toBe(3);
  expect(await echoesSeen(meant)).toBe(before[0] + 3);
  expect(await echoesSeen(other)).toBe(before[1]);
}

describe("V's packets to W's host", () => {
  let inA: Workload;

  it("keep going there, none lost, when A adds a more specific block to its own VPC", async () => {
    const target = only(w.workloads);
    const flood = sender().host.exec("ping", "-n", "-q", "-i0.01", "-c200", target.ip);
    await waitFor(async () => (await echoesSeen(target)) > 20, LIMIT_MS, "the flood");
    await grow(a, "10.3.5.0/24");
    inA = await settle(a, "10.3.5.0/24");
    expect(await flood).toContain(" 0% packet loss");
    await untilProgrammed();
    await expectReached(target, inA);
    expect((await tableOfV()).withheldRoutes).toMatchObject([
      { destinationCidrBlock: "10.3.5.0/24", target: toA.id },
    ]);
  });

  it("are answered by it alone: W's host gets in, A's with the same address does not", async () => {
    expect(await only(w.workloads).host.ping(sender().ip)).toBe(true);
    const before = await echoesSeen(sender());
    expect(await inA.host.ping(sender().ip)).toBe(false);
    expect(await echoesSeen(sender())).toBe(before);
  });

  it("are explained: reachability names both blocks, and the switch confirms it", async () => {
    const body = { from: sender().eni.id, to: inA.ip, protocol: "icmp" };
    expect(await v.tenant.call("POST", "/reachability", body)).toMatchObject({
      reachable: true,
      confirmedBySwitch: true,
      contested: [
        { cidrBlock: "10.3.5.0/24", vpcPeeringId: toA.id, withheld: true },
        { cidrBlock: "10.3.0.0/16", vpcPeeringId: toW.id, withheld: false },
      ],
    });
  });

  it("go to A once V's owner says so", async () => {
    const { id } = await tableOfV();
    const route = { destinationCidrBlock: "10.3.5.0/24", vpcPeeringId: toA.id };
    await v.tenant.call("POST", `/route-tables/${id}/routes`, route);
    await untilProgrammed();
    await expectReached(inA, only(w.workloads));
    const path = `/route-tables/${id}/routes/${encodeURIComponent("10.3.5.0/24")}`;
    await v.tenant.call("DELETE", path);
    await untilProgrammed();
    await expectReached(only(w.workloads), inA);
  });
});

it("V's packets to A's host keep going there when W adds a block around A's", async () => {
  await grow(a, "10.4.5.0/24");
  const inA = await settle(a, "10.4.5.0/24");
  await grow(w, "10.4.0.0/16");
  const inW = await settle(w, "10.4.5.0/24");
  await untilProgrammed();
  await expectReached(inA, inW);
});

it("V's packets to W's host keep going there when a VPC with a part of W's block becomes a peer", async () => {
  await grow(w, "10.6.0.0/16");
  const inW = await settle(w, "10.6.7.0/24");
  const late = await world.site("late", "10.6.7.0/24", { "10.6.7.0/24": 1 });
  const refused = await late.tenant.requestPeering(late.vpcId, v);
  expect(await refusalOf(refused)).toMatchObject({ status: 409, code: "RouteAlreadyExists" });
  await late.tenant.deletePeering(refused.id);
  await peer(v, late, { accept: true });
  await untilProgrammed();
  await expectReached(inW, only(late.workloads));
});

function refusalOf({ id }: Peering) {
  return v.tenant.refused("POST", `/vpc-peerings/${id}/accept?wait=5`);
}

import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NetworkInterface, type Peering, waitFor } from "../../support/rest.js";
import { goOn, lossesOf, Streams } from "./streams.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const LIMIT_MS = 10_000;
/** Datagrams that are sent before and after a route is changed. */
const A_WHILE = 100;
const TWO_STEP = fileURLToPath(new URL("../../../docs/two-step/two-step.sh", import.meta.url));

interface RouteTable {
  readonly id: string;
  readonly main: boolean;
  readonly routes: ReadonlyArray<{ destinationCidrBlock: string; target: string; state: string }>;
  readonly dataPlane: { readonly state: string };
}

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world?.dispose());

/** A peering without routes on either side. */
async function bare(from: Site, to: Site): Promise<Peering> {
  const asked = await from.tenant.call<Peering>("POST", "/vpc-peerings", {
    requesterVpcId: from.vpcId,
    accepterVpcId: to.vpcId,
    accepterTenantId: to.tenant.tenantId,
    autoRoutes: false,
  });
  const path = `/vpc-peerings/${asked.id}/accept?wait=10`;
  const accepted = await to.tenant.call<Peering>("POST", path, { autoRoutes: false });
  expect(accepted.state).toBe("active");
  return accepted;
}

async function mainTable({ tenant, vpcId }: Site): Promise<string> {
  const { items } = await tenant.get<{ items: RouteTable[] }>(`/route-tables?vpcId=${vpcId}`);
  const main = items.find((table) => table.main);
  if (main === undefined) throw new Error(`${vpcId} has no main route table`);
  return main.id;
}

/** Adds a route and waits until the switch has it. */
async function route(site: Site, table: string, destination: string, peering: Peering) {
  const body = { destinationCidrBlock: destination, vpcPeeringId: peering.id };
  await site.tenant.call("POST", `/route-tables/${table}/routes`, body);
  await untilProgrammed(site, table);
}

async function untilProgrammed({ tenant }: Site, table: string): Promise<void> {
  await waitFor(
    async () => {
      const { dataPlane } = await tenant.get<RouteTable>(`/route-tables/${table}`);
      return dataPlane.state === "programmed";
    },
    LIMIT_MS,
    `the routes of ${table}`,
  );
}

/** A table of its own for the subnet of one workload. */
async function ownTable(site: Site, workload: Workload): Promise<string> {
  const { id } = await site.tenant.call<RouteTable>("POST", "/route-tables", {
    vpcId: site.vpcId,
  });
  const body = { subnetId: workload.eni.subnetId };
  await site.tenant.call("POST", `/route-tables/${id}/associations`, body);
  return id;
}

function workloads<N extends number>(site: Site, count: N): readonly Workload[] {
  expect(site.workloads).toHaveLength(count);
  return site.workloads;
}

/** Echo requests that a host has received since it was made. */
async function echoesSeen(workload: Workload): Promise<number> {
  const text = await workload.host.exec("cat", "/proc/net/snmp");
  const [names, values] = text.split("\n").filter((line) => line.startsWith("Icmp:"));
  const at = names?.split(" ").indexOf("InEchos") ?? -1;
  return Number(values?.split(" ")[at]);
}

describe("two peers with the same addresses", () => {
  let hub: Site;
  let left: Site;
  let right: Site;
  let toLeft: Peering;
  let toRight: Peering;

  beforeAll(async () => {
    [hub, left, right] = await Promise.all([
      world.site("hub", "10.30.0.0/16", { "10.30.1.0/24": 1, "10.30.2.0/24": 1 }),
      world.site("left", "10.31.0.0/16", { "10.31.1.0/24": 1 }),
      world.site("right", "10.31.0.0/16", { "10.31.1.0/24": 1 }),
    ]);
    [toLeft, toRight] = [await bare(hub, left), await bare(hub, right)];
    const [first, second] = workloads(hub, 2) as [Workload, Workload];
    await route(hub, await ownTable(hub, first), "10.31.0.0/16", toLeft);
    await route(hub, await ownTable(hub, second), "10.31.0.0/16", toRight);
    await route(left, await mainTable(left), "10.30.0.0/16", toLeft);
    await route(right, await mainTable(right), "10.30.0.0/16", toRight);
  });

  it("are told apart by the routes of each subnet, and their replies come back", async () => {
    const [first, second] = workloads(hub, 2) as [Workload, Workload];
    const [farLeft] = workloads(left, 1) as [Workload];
    const [farRight] = workloads(right, 1) as [Workload];
    expect(farLeft.ip).toBe(farRight.ip);
    const before = [await echoesSeen(farLeft), await echoesSeen(farRight)] as const;
    expect(await first.host.countPings(farLeft.ip, 3)).toBe(3);
    expect(await second.host.countPings(farRight.ip, 2)).toBe(2);
    expect(await echoesSeen(farLeft)).toBe(before[0] + 3);
    expect(await echoesSeen(farRight)).toBe(before[1] + 2);
  });

  it("reach only the subnet that routes back to them", async () => {
    const [first, second] = workloads(hub, 2) as [Workload, Workload];
    const [farLeft] = workloads(left, 1) as [Workload];
    const [farRight] = workloads(right, 1) as [Workload];
    expect(await farLeft.host.ping(first.ip)).toBe(true);
    expect(await farRight.host.ping(second.ip)).toBe(true);
    const before = [await echoesSeen(first), await echoesSeen(second)];
    expect(await farLeft.host.ping(second.ip)).toBe(false);
    expect(await farRight.host.ping(first.ip)).toBe(false);
    expect([await echoesSeen(first), await echoesSeen(second)]).toEqual(before);
  });

  it("are not confused by a blackhole: a deleted peering's packets go nowhere else", async () => {
    const [first] = workloads(hub, 2) as [Workload, Workload];
    const [farLeft] = workloads(left, 1) as [Workload];
    const [farRight] = workloads(right, 1) as [Workload];
    const { items } = await hub.tenant.get<{ items: RouteTable[] }>(
      `/route-tables?vpcId=${hub.vpcId}`,
    );
    const table = items.find(({ routes }) => routes.some((r) => r.target === toLeft.id));
    if (table === undefined) throw new Error("no table routes to the left");
    await route(hub, table.id, "10.0.0.0/8", toRight);
    await hub.tenant.deletePeering(toLeft.id);
    const shown = await hub.tenant.get<RouteTable>(`/route-tables/${table.id}`);
    expect(shown.routes).toContainEqual(
      expect.objectContaining({ destinationCidrBlock: "10.31.0.0/16", state: "blackhole" }),
    );
    const before = [await echoesSeen(farLeft), await echoesSeen(farRight)];
    expect(await first.host.ping(farLeft.ip)).toBe(false);
    expect([await echoesSeen(farLeft), await echoesSeen(farRight)]).toEqual(before);
  });
});

describe("a route that is led from one peer to another with the same addresses, and back", () => {
  it("loses no packet", async () => {
    const [hub, left, right] = await Promise.all([
      world.site("fork", "10.60.0.0/16", { "10.60.1.0/24": 1 }),
      world.site("one", "10.61.0.0/16", { "10.61.1.0/24": 1 }),
      world.site("two", "10.61.0.0/16", { "10.61.1.0/24": 1 }),
    ]);
    const [toLeft, toRight] = [await bare(hub, left), await bare(hub, right)];
    const table = await mainTable(hub);
    await route(hub, table, "10.61.0.0/16", toLeft);
    await route(left, await mainTable(left), "10.60.0.0/16", toLeft);
    await route(right, await mainTable(right), "10.60.0.0/16", toRight);
    const [source] = workloads(hub, 1) as [Workload];
    const [farLeft] = workloads(left, 1) as [Workload];
    const [farRight] = workloads(right, 1) as [Workload];
    expect(farLeft.ip).toBe(farRight.ip);

    const streams = new Streams();
    const stream = await streams.start(source, farLeft, "probe");
    const beside = await streams.receive(farRight, source);
    const lead = async ({ id }: Peering) => {
      await goOn(stream, A_WHILE);
      const path = `/route-tables/${table}/routes/${encodeURIComponent("10.61.0.0/16")}`;
      const before = await beside();
      await hub.tenant.call("PUT", path, { vpcPeeringId: id });
      await untilProgrammed(hub, table);
      await goOn(stream, A_WHILE);
      return (await beside()) - before;
    };
    expect(await lead(toRight)).toBeGreaterThan(0);
    await lead(toLeft);
    await lead(toRight);
    await lead(toLeft);
    const atRight = await beside();
    await goOn(stream, A_WHILE);
    expect(await beside()).toBe(atRight);
    expect(await lossesOf(stream, beside)).toMatchObject({ datagrams: 0 });
    streams.end();
  });
});

describe("a route to a part of a peer's block", () => {
  it("reaches that part and no more", async () => {
    const [from, to] = await Promise.all([
      world.site("from", "10.40.0.0/16", { "10.40.1.0/24": 1 }),
      world.site("to", "10.41.0.0/16", { "10.41.1.0/24": 1, "10.41.2.0/24": 1 }),
    ]);
    const peering = await bare(from, to);
    const [source] = workloads(from, 1) as [Workload];
    const [inside, outside] = workloads(to, 2) as [Workload, Workload];
    await route(to, await mainTable(to), "10.40.0.0/16", peering);
    expect(await source.host.ping(inside.ip)).toBe(false);
    await route(from, await mainTable(from), "10.41.1.0/24", peering);
    expect(await source.host.ping(inside.ip)).toBe(true);
    expect(await source.host.ping(outside.ip)).toBe(false);
  });
});

describe("another block on a VPC with live peerings", () => {
  it("is reached by the peer, and no packet on the first block is lost meanwhile", async () => {
    const [near, far] = await Promise.all([
      world.site("near", "10.50.0.0/16", { "10.50.1.0/24": 1 }),
      world.site("far", "10.51.0.0/16", { "10.51.1.0/24": 1 }),
    ]);
    const asked = await near.tenant.requestPeering(near.vpcId, {
      tenant: far.tenant,
      vpcId: far.vpcId,
    });
    await far.tenant.acceptPeering(asked.id);
    const [source] = workloads(near, 1) as [Workload];
    const [target] = workloads(far, 1) as [Workload];
    const flood = source.host.exec("ping", "-n", "-q", "-i0.01", "-c300", target.ip);
    await waitFor(async () => (await echoesSeen(target)) > 20, LIMIT_MS, "the flood");
    await far.tenant.call("POST", `/vpcs/${far.vpcId}/cidr-blocks`, { cidrBlock: "10.52.0.0/16" });
    expect(await flood).toContain(" 0% packet loss");
    const subnet = await far.tenant.subnet(far.vpcId, "10.52.1.0/24");
    const eni: NetworkInterface = await far.tenant.networkInterface(subnet.id);
    const added = await world.plug("added", { vpc: far.vpc, subnets: [subnet] }, eni);
    await far.tenant.untilBound(eni.id);
    expect(await source.host.ping(added.ip)).toBe(true);
  });
});

describe("the two-step story of the documentation", () => {
  it("goes as it is told", async () => {
    const { stdout } = await execa(TWO_STEP, {
      env: {
        ...world.sandbox.env,
        PATCHBAY_URL: world.daemon.url,
        PATCHBAY_TOKEN: world.daemon.operatorToken,
      },
    });
    expect(stdout).toContain("As it should be.");
  });
});

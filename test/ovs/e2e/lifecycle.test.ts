import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NetworkInterface, type Peering, peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { flowsOf } from "./switch-state.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const LIMIT_MS = 10_000;
/** "Settle within a second", on a busy machine. */
const SETTLE_LIMIT_MS = 3000;

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

explainFailures(() => world);

afterAll(() => world?.dispose());

/** A site with one workload in the first /24 of its /16. */
function smallSite(name: string, block: string): Promise<Site> {
  return world.site(name, block, { [block.replace("/16", "/24")]: 1 });
}

function only(site: Site): Workload {
  const [workload] = site.workloads;
  if (workload === undefined) throw new Error("a site without workloads");
  return workload;
}

describe("accepting and deleting", () => {
  it("lets the very next packet pass, and stops a running transfer", async () => {
    const [left, right] = await Promise.all([
      smallSite("left", "10.11.0.0/16"),
      smallSite("right", "10.12.0.0/16"),
    ]);
    const [from, to] = [only(left), only(right)];
    const asked = await peer(left, right, { accept: false });
    expect(await from.host.ping(to.ip)).toBe(false);

    expect(await right.tenant.acceptPeering(asked.id)).toMatchObject({
      state: "active",
      dataPlane: { state: "programmed" },
    });
    expect(await from.host.ping(to.ip)).toBe(true);

    await from.streamTo(to);
    await waitFor(async () => (await to.received()) > 100_000, LIMIT_MS, "a transfer");
    expect(await left.tenant.deletePeering(asked.id)).toMatchObject({ state: "deleted" });
    const received = await to.received();
    // TCP tries harder and harder to get through; none of it may.
    await waitFor(async () => (await from.retransmits()) >= 3, LIMIT_MS, "retransmissions");
    expect(await to.received()).toBe(received);
    expect(await from.host.ping(to.ip)).toBe(false);
  });
});

describe("requests across tenants that cannot succeed", () => {
  it("are all accepted at first, and fail alike", async () => {
    const [asker, other, third] = await Promise.all([
      smallSite("asker", "10.21.0.0/16"),
      smallSite("other", "10.21.0.0/16"),
      world.operator.createTenant("third"),
    ]);
    const unknownVpc = `vpc-${randomBytes(9).toString("hex").slice(1)}`;
    const targets = {
      "an unknown tenant": { accepterTenantId: "999999999999", accepterVpcId: other.vpcId },
      "an unknown VPC": { accepterTenantId: other.tenant.tenantId, accepterVpcId: unknownVpc },
      "a VPC of somebody else": { accepterTenantId: third.tenantId, accepterVpcId: other.vpcId },
      overlap: { accepterTenantId: other.tenant.tenantId, accepterVpcId: other.vpcId },
    };
    const fates = await Promise.all(
      Object.entries(targets).map(async ([name, target]) => ({
        name,
        ...(await fateOf(asker, target)),
      })),
    );
    const [example] = fates;
    expect(example).toMatchObject({ status: 201, first: "pending-acceptance", last: "failed" });
    expect(example?.message).not.toBe("");
    const alike = fates.map(({ name }) => ({ ...example, name }));
    expect(fates).toEqual(alike);
  });

  /** All that the requester can tell one case from another by, ids and times apart. */
  async function fateOf(asker: Site, target: object) {
    const body = { requesterVpcId: asker.vpcId, ...target };
    const [status, answer] = await asker.tenant.send("POST", "/vpc-peerings", body);
    const asked = answer as Peering;
    const settled = await waitFor(
      async () => {
        const found = await asker.tenant.get<Peering>(`/vpc-peerings/${asked.id}`);
        return found.state === "failed" && found;
      },
      SETTLE_LIMIT_MS,
      `the fate of ${JSON.stringify(target)}`,
    );
    return {
      status,
      first: asked.state,
      last: settled.state,
      message: settled.statusMessage,
      dataPlane: settled.dataPlane.state,
      fields: Object.keys(settled),
    };
  }
});

describe("deletion", () => {
  it("of what is in use is refused with the list of what blocks it", async () => {
    const [left, right] = await Promise.all([
      smallSite("left", "10.31.0.0/16"),
      smallSite("right", "10.32.0.0/16"),
    ]);
    const peering = await peer(left, right, { accept: true });
    const [subnet] = left.subnets;
    const vpc = await left.tenant.refused("DELETE", `/vpcs/${left.vpcId}`);
    expect(vpc).toMatchObject({ status: 409, code: "DependencyViolation" });
    expect([...(vpc.blockedBy ?? [])].sort()).toEqual([peering.id, subnet?.id].sort());
    const inUse = await left.tenant.refused("DELETE", `/subnets/${subnet?.id}`);
    expect(inUse).toMatchObject({ status: 409, code: "DependencyViolation" });
    expect(inUse.blockedBy).toEqual([only(left).eni.id]);
    expect(await only(left).host.ping(only(right).ip)).toBe(true);
  });

  it("of everything, in order, leaves neither bridge nor ports", async () => {
    const [left, right] = await Promise.all([
      smallSite("left", "10.33.0.0/16"),
      smallSite("right", "10.34.0.0/16"),
    ]);
    const peering = await peer(left, right, { accept: true });
    await right.tenant.deletePeering(peering.id);
    const path = `/network-interfaces/${only(left).eni.id}`;
    const refused = await left.tenant.refused("DELETE", path);
    expect(refused).toMatchObject({ status: 409, code: "DependencyViolation" });
    await only(left).host.destroy();
    await waitFor(
      () => left.tenant.send("DELETE", path).then(([status]) => status === 204),
      LIMIT_MS,
      "the interface to be unplugged",
    );
    await left.tenant.call("DELETE", `/subnets/${left.subnets[0]?.id}`);
    await left.tenant.call("DELETE", `/vpcs/${left.vpcId}`);
    await waitFor(
      async () => (await namesWith(left.vpcId)).length === 0,
      LIMIT_MS,
      "bridge and ports to go",
    );
    expect(await namesWith(right.vpcId)).not.toEqual([]);
  });

  /** Bridges and ports that carry a VPC's id. */
  async function namesWith(vpcId: string): Promise<string[]> {
    const tables = ["Bridge", "Port"];
    const found = await Promise.all(
      tables.map((table) =>
        world.sandbox.vsctl(
          ...["--bare", "--columns=name", "find", table, `external_ids:patchbay-vpc=${vpcId}`],
        ),
      ),
    );
    return found.flatMap((text) => text.split("\n")).filter((name) => name !== "");
  }
});

describe("two peers of one VPC with overlapping blocks", () => {
  it("do not share the way: the second is peered without routes, and the first goes on", async () => {
    const [hub, first, second] = await Promise.all([
      smallSite("hub", "10.41.0.0/16"),
      smallSite("first", "10.42.0.0/16"),
      smallSite("second", "10.42.0.0/16"),
    ]);
    await peer(hub, first, { accept: true });
    await peer(hub, second, { accept: true });
    expect(await only(hub).host.ping(only(first).ip)).toBe(true);
    expect(await only(second).host.ping(only(hub).ip)).toBe(false);
  });
});

describe("an interface", () => {
  let left: Site;
  let right: Site;

  beforeAll(async () => {
    [left, right] = await Promise.all([
      smallSite("left", "10.51.0.0/16"),
      smallSite("right", "10.52.0.0/16"),
    ]);
    await peer(left, right, { accept: true });
  });

  const newInterface = () => left.tenant.networkInterface(only(left).eni.subnetId);
  const shown = (eni: NetworkInterface) =>
    left.tenant.get<NetworkInterface>(`/network-interfaces/${eni.id}`);

  async function untilFlowsGone({ macAddress }: NetworkInterface): Promise<void> {
    const areGone = async () => {
      const flows = await flowsOf(world.sandbox, left.vpc.bridge);
      return !flows.some((flow) => flow.includes(macAddress));
    };
    await waitFor(areGone, LIMIT_MS, `flows of ${macAddress} to go`);
  }

  it("is unbound, and says so, until it is plugged in", async () => {
    const eni = await newInterface();
    const unbound = await waitFor(
      async () => {
        const found = await shown(eni);
        return found.dataPlane.message !== undefined && found;
      },
      LIMIT_MS,
      "word about the missing port",
    );
    expect(unbound).toMatchObject({ state: "available", dataPlane: { state: "pending" } });
    expect(unbound.dataPlane.message).toContain(`iface-id=${eni.id}`);

    const late = await world.plug("late", left, eni);
    await left.tenant.untilBound(eni.id);
    expect(await late.host.ping(only(right).ip)).toBe(true);
    expect(await only(right).host.ping(late.ip)).toBe(true);
  });

  it("is unbound again when it is unplugged", async () => {
    const eni = await newInterface();
    const brief = await world.plug("brief", left, eni);
    await left.tenant.untilBound(eni.id);
    await world.sandbox.vsctl("del-port", brief.host.port);
    const isUnbound = async () => (await shown(eni)).state === "available";
    await waitFor(isUnbound, LIMIT_MS, "the binding to end");
    expect(await only(right).host.ping(brief.ip)).toBe(false);
    await untilFlowsGone(eni);
  });

  it("that two ports claim is bound to neither, and works when one of them goes", async () => {
    const eni = await newInterface();
    const one = await world.plug("one", left, eni);
    await left.tenant.untilBound(eni.id);
    const two = await world.plug("two", left, eni);
    const conflicting = await waitFor(
      async () => {
        const found = await shown(eni);
        return found.dataPlane.state === "error" && found;
      },
      LIMIT_MS,
      "the conflict to be seen",
    );
    expect(conflicting.state).toBe("available");
    for (const { host } of [one, two]) expect(conflicting.dataPlane.message).toContain(host.port);
    await untilFlowsGone(eni);
    const answers = [one, two].map(({ host }) => host.ping(only(right).ip));
    expect(await Promise.all(answers)).toEqual([false, false]);

    await one.host.destroy();
    await left.tenant.untilBound(eni.id);
    expect(await two.host.ping(only(right).ip)).toBe(true);
  });
});

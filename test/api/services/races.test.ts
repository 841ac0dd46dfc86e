import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cidr, formatCidr } from "../../../src/domain/cidr.js";
import type { Principal } from "../../../src/domain/principal.js";
import type { Vpc, VpcPeering } from "../../../src/domain/resources.js";
import { authenticate } from "../../../src/services/authentication.js";
import { addCidrBlock } from "../../../src/services/cidr-blocks.js";
import { listEvents } from "../../../src/services/events.js";
import {
  createNetworkInterface,
  listNetworkInterfaces,
} from "../../../src/services/network-interfaces.js";
import { listRouteTables } from "../../../src/services/route-tables.js";
import { createSubnet } from "../../../src/services/subnets.js";
import {
  acceptPeering,
  deletePeering,
  getPeering,
  requestPeering,
} from "../../../src/services/vpc-peerings.js";
import { createVpc, deleteVpc, getVpc } from "../../../src/services/vpcs.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const ROUNDS = 8;

describe.each(databaseEngines)("what races, on $name", (engine) => {
  let api: TestApi;
  let one: Principal;
  let two: Principal;

  beforeAll(async () => {
    api = await startTestApi(engine);
    one = await tenant();
    two = await tenant();
  });
  afterAll(() => api.stop());

  async function tenant(): Promise<Principal> {
    return authenticate(api.context, (await api.createTenantWithKey("admin")).token);
  }

  function vpc(owner: Principal, cidrBlock: string): Promise<Vpc> {
    return createVpc(api.context, owner, { cidrBlock });
  }

  async function request(from: Vpc, to: Vpc): Promise<VpcPeering> {
    const owner = from.tenantId === one.tenantId ? one : two;
    const { peering } = await requestPeering(api.context, owner, ends(from, to));
    return peering;
  }

  it("lets one of many overlapping subnets win", async () => {
    const { id: vpcId } = await vpc(one, "10.0.0.0/16");
    const blocks = Array.from({ length: 24 }, (_, i) => `10.0.0.0/${20 + (i % 9)}`);
    const results = await Promise.allSettled(
      blocks.map((cidrBlock) => createSubnet(api.context, one, { vpcId, cidrBlock })),
    );
    expect(codesOf(results)).toEqual(Array(23).fill("InvalidSubnet.Conflict"));
  });

  it("hands out every address once", async () => {
    const { id: vpcId } = await vpc(one, "10.0.0.0/16");
    const { id: subnetId } = await createSubnet(api.context, one, {
      vpcId,
      cidrBlock: "10.0.0.0/28",
    });
    const results = await Promise.allSettled(
      Array.from({ length: 14 }, () => createNetworkInterface(api.context, one, { subnetId })),
    );
    expect(codesOf(results)).toEqual(Array(3).fill("InsufficientFreeAddressesInSubnet"));
    const page = { limit: 100, after: 0 };
    const { items } = await listNetworkInterfaces(api.context, one, { subnetId, tags: {} }, page);
    expect(new Set(items.map((item) => item.privateIp.value)).size).toBe(11);
    expect(new Set(items.map((item) => item.macAddress)).size).toBe(11);
  });

  it("gives the same request asked for many times one peering", async () => {
    const a = await vpc(one, "10.0.0.0/16");
    const b = await vpc(two, "10.1.0.0/16");
    const results = await Promise.all(
      Array.from({ length: 12 }, () => requestPeering(api.context, one, ends(a, b))),
    );
    expect(new Set(results.map(({ peering }) => peering.id)).size).toBe(1);
    expect(results.filter(({ created }) => created)).toHaveLength(1);
  });

  it("lets one of two opposite requests win", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const a = await vpc(one, "10.0.0.0/16");
      const b = await vpc(two, "10.1.0.0/16");
      const results = await Promise.allSettled([
        requestPeering(api.context, one, ends(a, b)),
        requestPeering(api.context, two, ends(b, a)),
      ]);
      expect(codesOf(results)).toEqual(["VpcPeeringConnectionAlreadyExists"]);
    }
  });

  it("lets one of two conflicting accepts win, and leaves the other pending", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const hub = await vpc(one, "10.0.0.0/16");
      const rivals = [await vpc(two, "10.1.0.0/16"), await vpc(two, "10.1.0.0/16")];
      const peerings = await Promise.all(rivals.map((rival) => request(rival, hub)));
      const results = await Promise.allSettled(
        peerings.map(({ id }) => acceptPeering(api.context, one, id, {}, 5000)),
      );
      expect(codesOf(results)).toEqual(["RouteAlreadyExists"]);
      const after = await Promise.all(peerings.map(({ id }) => getPeering(api.context, two, id)));
      expect(after.map(({ state }) => state).sort()).toEqual(["active", "pending-acceptance"]);
    }
  });

  /** Destinations in the main table of a VPC of the first tenant, and what was withheld from it. */
  async function routesOf({ id: vpcId }: Vpc): Promise<[string[], string[]]> {
    const { items } = await listRouteTables(api.context, one, { vpcId }, { limit: 1, after: 0 });
    const texts = (routes: ReadonlyArray<{ destination: Cidr }> = []) =>
      routes.map(({ destination }) => formatCidr(destination));
    return [texts(items[0]?.routes), texts(items[0]?.withheldRoutes)];
  }

  it("gives one of two peers that overlap and accept at once the way, and withholds the other", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const hub = await vpc(one, "10.0.0.0/16");
      const rivals = [await vpc(two, "10.1.0.0/16"), await vpc(two, "10.1.4.0/24")];
      const peerings = await Promise.all(rivals.map((rival) => request(hub, rival)));
      const results = await Promise.all(
        peerings.map(({ id }) => acceptPeering(api.context, two, id, {}, 5000)),
      );
      expect(results.map(({ state }) => state)).toEqual(["active", "active"]);
      const [routes, withheld] = await routesOf(hub);
      expect([routes.length, withheld.length]).toEqual([1, 1]);
      expect([...routes, ...withheld].sort()).toEqual(["10.1.0.0/16", "10.1.4.0/24"]);
    }
  });

  it("gives a block and an accept that race one way, whichever comes first", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const hub = await vpc(one, "10.0.0.0/16");
      const [wide, narrow] = [await vpc(two, "10.1.0.0/16"), await vpc(two, "10.2.0.0/16")];
      const first = await request(hub, narrow);
      await acceptPeering(api.context, two, first.id, {}, 5000);
      const second = await request(hub, wide);
      await Promise.all([
        addCidrBlock(api.context, two, narrow.id, { cidrBlock: "10.1.4.0/24" }),
        acceptPeering(api.context, two, second.id, {}, 5000),
      ]);
      const [routes, withheld] = await routesOf(hub);
      expect([routes.length, withheld.length]).toEqual([2, 1]);
      const contested = ["10.1.0.0/16", "10.1.4.0/24", "10.2.0.0/16"];
      expect([...routes, ...withheld].sort()).toEqual(contested);
    }
  });

  it("gives two peers that add overlapping blocks at once one way", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const hub = await vpc(one, "10.0.0.0/16");
      const peers = [await vpc(two, "10.1.0.0/16"), await vpc(two, "10.2.0.0/16")];
      for (const peer of peers) {
        const { id } = await request(peer, hub);
        await acceptPeering(api.context, one, id, {}, 5000);
      }
      await Promise.all(
        peers.map(({ id }, index) =>
          addCidrBlock(api.context, two, id, { cidrBlock: `10.3.0.0/${16 + index}` }),
        ),
      );
      const [routes, withheld] = await routesOf(hub);
      expect([routes.length, withheld.length]).toEqual([3, 1]);
    }
  });

  it("accepts once however often it is asked to at once", async () => {
    const { id } = await request(await vpc(one, "10.0.0.0/16"), await vpc(two, "10.1.0.0/16"));
    const results = await Promise.all(
      Array.from({ length: 8 }, () => acceptPeering(api.context, two, id, {}, 5000)),
    );
    expect(new Set(results.map(({ state }) => state))).toEqual(new Set(["active"]));
    const { items } = await listEvents(api.context, two, { after: 0, limit: 1000 });
    const accepts = items.filter((e) => e.resourceId === id && e.action === "accept");
    expect(accepts).toHaveLength(1);
  });

  it("never both deletes a VPC and makes a peering of it live", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const a = await vpc(one, "10.0.0.0/16");
      const b = await vpc(two, "10.1.0.0/16");
      const { id } = await request(a, b);
      const [deletion] = await Promise.allSettled([
        deleteVpc(api.context, one, a.id),
        acceptPeering(api.context, two, id, {}, 5000),
      ]);
      const { state } = await getPeering(api.context, one, id);
      expect(state).toBe(deletion.status === "fulfilled" ? "deleted" : "active");
    }
  });

  it("ends a pending request once when both its VPCs are deleted", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const a = await vpc(one, "10.0.0.0/16");
      const b = await vpc(two, "10.1.0.0/16");
      const { id } = await request(a, b);
      const results = await Promise.allSettled([
        deleteVpc(api.context, one, a.id),
        deleteVpc(api.context, two, b.id),
      ]);
      expect(codesOf(results)).toEqual([]);
      const operator = await authenticate(api.context, api.operatorToken);
      const { items } = await listEvents(api.context, operator, { after: 0, limit: 10_000 });
      const after = items.filter((e) => e.resourceId === id).map((event) => event.after);
      expect(after).toEqual(["pending-acceptance", (await getPeering(api.context, one, id)).state]);
    }
  });

  it("never leaves a subnet in a VPC that is gone", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id: vpcId } = await vpc(one, "10.0.0.0/16");
      const results = await Promise.allSettled([
        deleteVpc(api.context, one, vpcId),
        createSubnet(api.context, one, { vpcId, cidrBlock: "10.0.0.0/24" }),
      ]);
      const [code] = codesOf(results);
      expect(["DependencyViolation", "InvalidVpcID.NotFound"]).toContain(code);
      const exists = await getVpc(api.context, one, vpcId).then(
        () => true,
        () => false,
      );
      expect(exists).toBe(code === "DependencyViolation");
    }
  });

  it("deletes a peering once, however often at once", async () => {
    const { id } = await request(await vpc(one, "10.0.0.0/16"), await vpc(two, "10.1.0.0/16"));
    await acceptPeering(api.context, two, id, {}, 5000);
    const results = await Promise.allSettled([
      deletePeering(api.context, one, id, 5000),
      deletePeering(api.context, two, id, 5000),
    ]);
    expect(codesOf(results)).toEqual(["InvalidStateTransition"]);
    expect((await getPeering(api.context, one, id)).state).toBe("deleted");
  });

  it("lists every event once, in an order that a reader can resume", async () => {
    const operator = await authenticate(api.context, api.operatorToken);
    const seen: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const { items, next } = await listEvents(api.context, operator, { after, limit: 7 });
      seen.push(...items.map((item) => item.id));
      after = next;
    }
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
  });
});

function ends(from: Vpc, to: Vpc) {
  const { id: requesterVpcId } = from;
  return { requesterVpcId, accepterVpcId: to.id, accepterTenantId: to.tenantId };
}

/** The error codes of those that failed. */
function codesOf(results: ReadonlyArray<PromiseSettledResult<unknown>>): unknown[] {
  return results.flatMap((result) =>
    result.status === "rejected"
      ? [(result.reason as { code?: unknown }).code ?? result.reason]
      : [],
  );
}

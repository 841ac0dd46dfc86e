import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const UNKNOWN_VPC = "vpc-0123456789abcdef0";

describe.each(databaseEngines)("VPC peerings on $name", (engine) => {
  let api: TestApi;
  let red: TenantKey;
  let blue: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine);
    red = await api.createTenantWithKey("network-admin");
    blue = await api.createTenantWithKey("network-admin");
  });
  afterAll(() => api.stop());

  const ask = (body: unknown) => api.call(red.token, "POST", "/v1/vpc-peerings", body);
  const show = (who: TenantKey, id: string) => api.call(who.token, "GET", `/v1/vpc-peerings/${id}`);
  const act = (who: TenantKey, id: string, action: string, body?: unknown) =>
    api.call(who.token, "POST", `/v1/vpc-peerings/${id}/${action}`, body);
  const remove = (who: TenantKey, id: string, query = "?wait=10") =>
    api.call(who.token, "DELETE", `/v1/vpc-peerings/${id}${query}`);

  async function vpcs(redBlock = "10.1.0.0/16", blueBlock = "10.2.0.0/16") {
    const requesterVpcId = await api.createVpc(red.token, redBlock);
    const accepterVpcId = await api.createVpc(blue.token, blueBlock);
    return { requesterVpcId, accepterVpcId, accepterTenantId: blue.tenantId };
  }

  async function pending(more = {}): Promise<{ id: string } & Awaited<ReturnType<typeof vpcs>>> {
    const ends = await vpcs();
    const { status, body } = await ask({ ...ends, ...more });
    expect(status, JSON.stringify(body)).toBe(201);
    return { id: body.id, ...ends };
  }

  async function active() {
    const peering = await pending();
    const { status, body } = await act(blue, peering.id, "accept?wait=10");
    expect({ status, state: body.state }).toEqual({ status: 200, state: "active" });
    return peering;
  }

  test("requested, accepted, deleted: both sides see it, each what it may", async () => {
    const { id, ...ends } = await pending({ name: "to blue", tags: { side: "red" } });
    expect(id).toMatch(/^pcx-[0-9a-f]{17}$/);
    const asked = (await show(red, id)).body;
    expect(asked).toMatchObject({
      state: "pending-acceptance",
      requester: { tenantId: red.tenantId, vpcId: ends.requesterVpcId },
      accepter: { tenantId: blue.tenantId, vpcId: ends.accepterVpcId, cidrBlocks: [] },
      name: "to blue",
      tags: { side: "red" },
      dataPlane: { state: "noop" },
    });
    const inSevenDays = Date.parse(asked.createdAt) + 604_800_000;
    expect(Math.abs(Date.parse(asked.expiresAt) - inSevenDays)).toBeLessThan(5000);
    const offered = (await show(blue, id)).body;
    expect(offered).toMatchObject({ name: null, tags: {} });
    expect(offered.requester.cidrBlocks).toEqual(["10.1.0.0/16"]);
    expect(offered.accepter.cidrBlocks).toEqual(["10.2.0.0/16"]);

    const accepted = await act(blue, id, "accept?wait=10");
    expect(accepted).toMatchObject({ status: 200, body: { state: "active", expiresAt: null } });
    const { body: seen } = await show(red, id);
    expect(seen.accepter.cidrBlocks).toEqual(["10.2.0.0/16"]);
    const again = await act(blue, id, "accept?wait=10", {});
    expect(again).toMatchObject({ status: 200, body: { id, state: "active" } });

    const deleted = await remove(red, id);
    expect(deleted).toMatchObject({ status: 200, body: { state: "deleted" } });
    expect((await show(blue, id)).body.state).toBe("deleted");
  });

  test("the flows of a live one: a side sees its bridge and the exchange", async () => {
    const { id } = await active();
    const bridges = async (token: string): Promise<string[]> => {
      const { body } = await api.call(token, "GET", `/v1/vpc-peerings/${id}/flows`);
      for (const { flows } of body.bridges) {
        for (const flow of flows) expect(flow).toMatch(/^cookie=0x.*priority=.* actions=/);
        expect(flows.some((flow: string) => flow.includes("priority=100,"))).toBe(true);
      }
      return body.bridges.map((entry: { bridge: string }) => entry.bridge).sort();
    };
    const all = await bridges(api.operatorToken);
    const ofRed = await bridges(red.token);
    const ofBlue = await bridges(blue.token);
    expect(all).toHaveLength(3);
    expect(ofRed).toHaveLength(2);
    expect(ofBlue).toHaveLength(2);
    expect([...new Set([...ofRed, ...ofBlue])].sort()).toEqual(all);
    await remove(blue, id);
    const { body } = await api.call(red.token, "GET", `/v1/vpc-peerings/${id}/flows`);
    expect(body).toEqual({ bridges: [] });
  });

  test("an accepter rejects, once", async () => {
    const { id } = await pending();
    expect((await act(blue, id, "reject")).body.state).toBe("rejected");
    const again = await act(blue, id, "reject");
    expect(again).toMatchObject({ status: 409, body: { code: "InvalidStateTransition" } });
    expect(again.body.detail).toContain("attempted to transition from rejected to rejected");
    const late = await act(blue, id, "accept");
    expect(late).toMatchObject({ status: 409, body: { code: "InvalidStateTransition" } });
    expect(late.body.detail).toContain("attempted to transition from rejected to active");
  });

  test("the requester may withdraw, and not accept or reject", async () => {
    const { id } = await pending();
    for (const action of ["accept", "reject"]) {
      expect(await act(red, id, action)).toMatchObject({ status: 403 });
    }
    const early = await remove(blue, id);
    expect(early).toMatchObject({ status: 409, body: { code: "InvalidStateTransition" } });
    expect((await remove(red, id)).body.state).toBe("deleted");
    expect(await remove(red, id)).toMatchObject({ status: 409 });
  });

  test("asked for again is the same; asked for the other way round is refused", async () => {
    const { id, ...ends } = await pending();
    const again = await ask(ends);
    expect(again).toMatchObject({ status: 200, body: { id } });
    const back = await api.call(blue.token, "POST", "/v1/vpc-peerings", {
      requesterVpcId: ends.accepterVpcId,
      accepterVpcId: ends.requesterVpcId,
      accepterTenantId: red.tenantId,
    });
    expect(back).toMatchObject({
      status: 409,
      body: { code: "VpcPeeringConnectionAlreadyExists", blockedBy: [id] },
    });
  });

  test("across tenants, what cannot succeed is answered alike and fails alike", async () => {
    const overlapping = await vpcs("10.1.0.0/16", "10.1.128.0/20");
    const { requesterVpcId, accepterVpcId } = await vpcs();
    const own = await api.createVpc(red.token, "10.7.0.0/16");
    const doomed = [
      overlapping,
      { requesterVpcId, accepterVpcId: UNKNOWN_VPC, accepterTenantId: blue.tenantId },
      { requesterVpcId, accepterVpcId: own, accepterTenantId: blue.tenantId },
      { requesterVpcId, accepterVpcId, accepterTenantId: "999999999999" },
    ];
    const messages = new Set<string>();
    for (const request of doomed) {
      const { status, body } = await ask(request);
      expect({ status, state: body.state }).toEqual({ status: 201, state: "pending-acceptance" });
      expect(body.accepter.cidrBlocks).toEqual([]);
      const state = async () => (await show(red, body.id)).body.state;
      await expect.poll(state, { timeout: 5000, interval: 20 }).toBe("failed");
      const failed = (await show(red, body.id)).body;
      expect(failed.accepter.cidrBlocks).toEqual([]);
      messages.add(failed.statusMessage);
      expect((await show(blue, body.id)).status).toBe(404);
    }
    expect(messages.size).toBe(1);
    const { body } = await api.call(blue.token, "GET", "/v1/vpc-peerings?state=failed");
    expect(body.items).toEqual([]);
  });

  test("within one tenant a request says at once what is wrong", async () => {
    const a = await api.createVpc(red.token, "10.1.0.0/16");
    const b = await api.createVpc(red.token, "10.1.4.0/24");
    const overlap = await ask({ requesterVpcId: a, accepterVpcId: b });
    expect(overlap).toMatchObject({ status: 409, body: { code: "OverlappingCidr" } });
    for (const part of [a, b, "10.1.0.0/16", "10.1.4.0/24"]) {
      expect(overlap.body.detail).toContain(part);
    }
    const unknown = await ask({ requesterVpcId: a, accepterVpcId: UNKNOWN_VPC });
    expect(unknown).toMatchObject({ status: 404, body: { code: "InvalidVpcID.NotFound" } });
    const itself = await ask({ requesterVpcId: a, accepterVpcId: a });
    expect(itself).toMatchObject({ status: 400, body: { code: "InvalidParameterValue" } });
    const foreign = await api.createVpc(blue.token, "10.3.0.0/16");
    const stolen = await ask({ requesterVpcId: foreign, accepterVpcId: a });
    expect(stolen).toMatchObject({ status: 404, body: { code: "InvalidVpcID.NotFound" } });
  });

  test("peered VPCs are not deleted, and pending requests end with theirs", async () => {
    const live = await active();
    const path = `/v1/vpcs/${live.accepterVpcId}`;
    const refused = await api.call(blue.token, "DELETE", path);
    expect(refused).toMatchObject({ status: 409, body: { code: "DependencyViolation" } });
    expect(refused.body.blockedBy).toEqual([live.id]);
    await remove(blue, live.id);
    expect((await api.call(blue.token, "DELETE", path)).status).toBe(204);

    const sent = await pending();
    expect((await api.call(red.token, "DELETE", `/v1/vpcs/${sent.requesterVpcId}`)).status).toBe(
      204,
    );
    expect((await show(red, sent.id)).body.state).toBe("deleted");
    expect((await show(blue, sent.id)).status).toBe(404);
    const received = await pending();
    const vpc = `/v1/vpcs/${received.accepterVpcId}`;
    expect((await api.call(blue.token, "DELETE", vpc)).status).toBe(204);
    expect((await show(red, received.id)).body.state).toBe("failed");
  });

  test("of two accepts that add the same destination to one VPC, exactly one wins", async () => {
    const hub = await api.createVpc(blue.token, "10.9.0.0/16");
    const ids = await Promise.all(
      ["10.1.0.0/16", "10.1.0.0/16"].map(async (block) => {
        const requesterVpcId = await api.createVpc(red.token, block);
        const ends = { requesterVpcId, accepterVpcId: hub, accepterTenantId: blue.tenantId };
        return (await ask(ends)).body.id as string;
      }),
    );
    const answers = await Promise.all(ids.map((id) => act(blue, id, "accept?wait=10")));
    const outcomes = answers.map(({ status, body }) => `${status} ${body.code ?? body.state}`);
    expect(outcomes.sort()).toEqual(["200 active", "409 RouteAlreadyExists"]);
  });

  test("options belong to each side", async () => {
    const { id } = await pending();
    const path = `/v1/vpc-peerings/${id}/options`;
    const set = { allowDnsResolutionFromRemoteVpc: true };
    const { status, body } = await api.call(blue.token, "PATCH", path, set);
    expect(status).toBe(200);
    expect(body.accepter.options).toEqual(set);
    expect(body.requester.options).toEqual({ allowDnsResolutionFromRemoteVpc: false });
  });

  describe("an update of options", () => {
    const set = (who: TenantKey, id: string, allow: boolean) =>
      api.call(who.token, "PATCH", `/v1/vpc-peerings/${id}/options`, {
        allowDnsResolutionFromRemoteVpc: allow,
      });

    /** Who is told of each update of this peering, in order. */
    async function told(id: string) {
      const where = { resourceId: id, action: "update-options" };
      const rows = await api.context.db.event.findMany({ where, orderBy: { id: "asc" } });
      return rows.map(({ tenantId, otherTenantId }) => {
        return [tenantId, otherTenantId].filter((each) => each !== null);
      });
    }

    const generation = async () => (await api.context.db.generation.findFirstOrThrow()).value;

    test("that changes nothing is no change", async () => {
      const { id } = await active();
      const before = await generation();
      expect(await set(blue, id, false)).toMatchObject({ status: 200 });
      expect(await generation()).toBe(before);
      await set(blue, id, true);
      const { body } = await set(blue, id, true);
      expect(body.accepter.options).toEqual({ allowDnsResolutionFromRemoteVpc: true });
      expect(await told(id)).toHaveLength(1);
    });

    test("is told to the other side while both are agreed", async () => {
      const { id } = await active();
      await set(blue, id, true);
      await set(red, id, true);
      const both = [red.tenantId, blue.tenantId];
      expect(await told(id)).toEqual([both, both]);
    });

    test("is stored, but none of the other side's business, before that and afterwards", async () => {
      const asked = await pending();
      await set(red, asked.id, true);
      await set(blue, asked.id, true);
      await act(blue, asked.id, "reject");
      const { status, body } = await set(red, asked.id, false);
      expect({ status, options: body.requester.options }).toEqual({
        status: 200,
        options: { allowDnsResolutionFromRemoteVpc: false },
      });
      expect(await told(asked.id)).toEqual([[red.tenantId], [blue.tenantId], [red.tenantId]]);
      const withdrawn = await pending();
      await remove(red, withdrawn.id);
      await set(red, withdrawn.id, true);
      const cut = await active();
      await remove(blue, cut.id);
      await set(red, cut.id, true);
      for (const { id } of [withdrawn, cut]) expect(await told(id)).toEqual([[red.tenantId]]);
    });

    test("within one tenant sets both sides", async () => {
      const [requesterVpcId, accepterVpcId] = [
        await api.createVpc(red.token, "10.1.0.0/16"),
        await api.createVpc(red.token, "10.2.0.0/16"),
      ];
      const { body } = await ask({ requesterVpcId, accepterVpcId });
      await set(red, body.id, true);
      await set(red, body.id, true);
      expect(await told(body.id)).toEqual([[red.tenantId]]);
      const { requester, accepter } = (await show(red, body.id)).body;
      expect([requester.options, accepter.options]).toEqual(
        Array(2).fill({ allowDnsResolutionFromRemoteVpc: true }),
      );
    });
  });

  test("lists filter by state, VPC and role", async () => {
    const one = await pending({ tags: { which: "one" } });
    const two = await active();
    const ids = async (who: TenantKey, query: string): Promise<string[]> => {
      const { body } = await api.call(who.token, "GET", `/v1/vpc-peerings?limit=1000&${query}`);
      return body.items.map((peering: { id: string }) => peering.id);
    };
    expect(await ids(red, `vpcId=${one.requesterVpcId}`)).toEqual([one.id]);
    expect(await ids(blue, `vpcId=${two.accepterVpcId}&state=active`)).toEqual([two.id]);
    expect(await ids(blue, `vpcId=${two.accepterVpcId}&state=deleted`)).toEqual([]);
    expect(await ids(red, "tag:which=one")).toEqual([one.id]);
    expect(await ids(blue, "tag:which=one")).toEqual([]);
    expect(await ids(blue, "role=accepter")).toEqual(expect.arrayContaining([one.id, two.id]));
    expect(await ids(blue, "role=requester")).not.toContain(one.id);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { failDoomedRequests } from "../../../src/services/peering-sweeps.js";
import { type Answer, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, Scene } from "../../support/scene.js";

const QUOTAS = {
  livePeeringsPerVpc: 2,
  pendingRequestsPerTenant: 3,
  accessKeysPerTenant: 4,
  vpcsPerTenant: 6,
  blocksPerVpc: 3,
  routeTablesPerVpc: 3,
  routesPerTable: 3,
  subnetsPerVpc: 3,
  interfacesPerSubnet: 3,
  interfacesPerVpc: 4,
  interfacesPerTenant: 6,
};

const TOO_MANY_SUBNETS = "SubnetLimitExceeded";
const TOO_MANY_INTERFACES = "NetworkInterfaceLimitExceeded";

describe.each(databaseEngines)("quotas on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  let red: TenantKey;
  let blue: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: QUOTAS, sweeping: false });
    scene = new Scene(api);
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    red = await api.createTenantWithKey("admin");
    blue = await api.createTenantWithKey("admin");
  });

  const codesOf = (answers: readonly Answer[]): string[] =>
    answers.map(({ status, body }) => body.code ?? String(status)).sort();
  const vpcs = (key: TenantKey, blocks: readonly string[]): Promise<Owned[]> =>
    Promise.all(blocks.map((block) => scene.vpc(key, block)));
  const ask = (from: Owned, accepterVpcId: string, accepterTenantId: string) =>
    scene.call(from.key, "POST", "/vpc-peerings", {
      requesterVpcId: from.vpcId,
      accepterVpcId,
      accepterTenantId,
    });

  test("VPCs of a tenant", async () => {
    const create = () => scene.call(red, "POST", "/vpcs", { cidrBlock: "10.1.0.0/16" });
    const answers = await Promise.all(Array.from({ length: 9 }, create));
    expect(codesOf(answers)).toEqual([
      ...Array(6).fill("201"),
      ...Array(3).fill("VpcLimitExceeded"),
    ]);
    expectRefusal(await create(), { status: 409, code: "VpcLimitExceeded", detail: "6" });
    expect((await scene.vpc(blue, "10.1.0.0/16")).vpcId).toMatch(/^vpc-/);
    const made = answers.find(({ status }) => status === 201);
    await scene.must(204, red, "DELETE", `/vpcs/${made?.body.id}`);
    expect((await create()).status).toBe(201);
  });

  test("access keys of a tenant, whoever makes them", async () => {
    const path = `/v1/tenants/${red.tenantId}/access-keys`;
    const create = (token: string) => api.call(token, "POST", path, { roles: ["viewer"] });
    const tokens = [red.token, api.operatorToken, red.token, api.operatorToken, red.token];
    const answers = await Promise.all(tokens.map(create));
    expect(codesOf(answers)).toEqual([
      ...Array(3).fill("201"),
      ...Array(2).fill("AccessKeyLimitExceeded"),
    ]);
    const refusal = { status: 409, code: "AccessKeyLimitExceeded", detail: "4" };
    expectRefusal(await create(api.operatorToken), refusal);
    expect((await api.addKey(blue.tenantId, "viewer")).token).toMatch(/^AKPB/);
    const made = answers.find(({ status }) => status === 201);
    const revoked = await api.call(red.token, "DELETE", `${path}/${made?.body.id}`);
    expect(revoked.status).toBe(204);
    expect((await create(red.token)).status).toBe(201);
    expectRefusal(await create(red.token), refusal);
  });

  test("CIDR blocks of a VPC", async () => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    expect((await scene.addBlock(a, "10.11.0.0/16")).status).toBe(201);
    const last = await Promise.all(
      ["10.12.0.0/16", "10.13.0.0/16", "10.14.0.0/16"].map((block) => scene.addBlock(a, block)),
    );
    expect(codesOf(last)).toEqual(["201", "CidrBlockLimitExceeded", "CidrBlockLimitExceeded"]);
    const refused = await scene.addBlock(a, "10.15.0.0/16");
    expectRefusal(refused, { status: 409, code: "CidrBlockLimitExceeded" });
    expect((await scene.removeBlock(a, "10.11.0.0/16")).status).toBe(204);
    expect((await scene.addBlock(a, "10.15.0.0/16")).status).toBe(201);
  });

  test("route tables of a VPC, the main one included", async () => {
    const { vpcId } = await scene.vpc(red, "10.1.0.0/16");
    const create = () => scene.call(red, "POST", "/route-tables", { vpcId });
    const answers = await Promise.all([create(), create(), create()]);
    expect(codesOf(answers)).toEqual(["201", "201", "RouteTableLimitExceeded"]);
    const made = answers.find(({ status }) => status === 201);
    await scene.must(204, red, "DELETE", `/route-tables/${made?.body.id}`);
    expect((await create()).status).toBe(201);
    expectRefusal(await create(), { status: 409, code: "RouteTableLimitExceeded" });
  });

  describe("routes of a route table", () => {
    async function full(of: Owned, peering: string): Promise<string> {
      const table = await scene.mainTable(of);
      for (const third of [1, 2, 3]) {
        const { status } = await scene.addRoute(of, table, `10.99.${third}.0/24`, peering);
        expect(status).toBe(201);
      }
      return table;
    }

    test("local ones do not count", async () => {
      const [a, b] = [await scene.vpc(red, "10.1.0.0/16"), await scene.vpc(blue, "10.2.0.0/16")];
      await scene.addBlock(a, "10.11.0.0/16");
      const peering = await scene.peer(a, b, { requester: false });
      const table = await full(a, peering);
      const refused = await scene.addRoute(a, table, "10.99.4.0/24", peering);
      expectRefusal(refused, { status: 409, code: "RouteLimitExceeded", detail: "3" });
      const path = `/route-tables/${table}/routes/${encodeURIComponent("10.99.1.0/24")}`;
      await scene.must(204, red, "DELETE", path);
      expect((await scene.addRoute(a, table, "10.99.4.0/24", peering)).status).toBe(201);
    });

    test("those that come with a peering count: the accept is refused, and possible without", async () => {
      const [a, b] = [await scene.vpc(red, "10.1.0.0/16"), await scene.vpc(blue, "10.2.0.0/16")];
      const peering = await scene.request(a, b);
      await full(b, peering);
      const refused = await scene.accept(b, peering);
      expectRefusal(refused, { status: 409, code: "RouteLimitExceeded" });
      expect(await scene.stateOf(a, peering)).toBe("pending-acceptance");
      expect(await scene.routes(a)).toEqual([]);
      expect((await scene.accept(b, peering, { autoRoutes: false })).body.state).toBe("active");
    });
  });

  test("subnets of a VPC, however many are asked for at once", async () => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const create = (third: number) =>
      scene.call(red, "POST", "/subnets", { vpcId: a.vpcId, cidrBlock: `10.1.${third}.0/24` });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(create));
    expect(codesOf(answers)).toEqual([...Array(3).fill("201"), ...Array(2).fill(TOO_MANY_SUBNETS)]);
    expectRefusal(await create(9), { status: 409, code: TOO_MANY_SUBNETS, detail: "3" });
    const made = answers.find(({ status }) => status === 201);
    await scene.must(204, red, "DELETE", `/subnets/${made?.body.id}`);
    expect((await create(9)).status).toBe(201);
  });

  describe("network interfaces", () => {
    const plug = (key: TenantKey, subnetId: string) =>
      scene.call(key, "POST", "/network-interfaces", { subnetId });
    const atOnce = (subnets: readonly string[]) =>
      Promise.all(subnets.map((subnetId) => plug(red, subnetId)));
    const made = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201);
    const expectFull = (answer: Answer, detail: string) =>
      expectRefusal(answer, { status: 409, code: TOO_MANY_INTERFACES, detail });

    test("of a subnet, of a VPC and of a tenant, however many are asked for at once", async () => {
      const [a, b] = [await scene.vpc(red, "10.1.0.0/16"), await scene.vpc(red, "10.2.0.0/16")];
      const one = await scene.subnet(a, "10.1.1.0/24");
      const two = await scene.subnet(a, "10.1.2.0/24");
      const other = await scene.subnet(b, "10.2.1.0/24");
      const first = await atOnce(Array(5).fill(one));
      expect(codesOf(first)).toEqual([
        ...Array(3).fill("201"),
        ...Array(2).fill(TOO_MANY_INTERFACES),
      ]);
      expectFull(await plug(red, one), "3 network interfaces of a subnet");
      expect(codesOf(await atOnce([two, two, two]))).toEqual([
        "201",
        ...Array(2).fill(TOO_MANY_INTERFACES),
      ]);
      expectFull(await plug(red, two), "4 network interfaces of a VPC");
      expect(made(await atOnce([other, other, other]))).toHaveLength(2);
      expectFull(await plug(red, other), "6 network interfaces of a tenant");
      await scene.must(204, red, "DELETE", `/network-interfaces/${made(first)[0]?.body.id}`);
      expect((await plug(red, other)).status).toBe(201);
      const theirs = await scene.subnet(await scene.vpc(blue, "10.1.0.0/16"), "10.1.1.0/24");
      expect((await plug(blue, theirs)).status).toBe(201);
    });

    test("of a tenant are counted over its VPCs, also when these are asked at once", async () => {
      const subnets = await Promise.all(
        ["10.1", "10.2", "10.3", "10.4"].map(async (start) =>
          scene.subnet(await scene.vpc(red, `${start}.0.0/16`), `${start}.1.0/24`),
        ),
      );
      const answers = await atOnce([...subnets, ...subnets, ...subnets]);
      expect(made(answers)).toHaveLength(6);
      expect(new Set(codesOf(answers))).toEqual(new Set(["201", TOO_MANY_INTERFACES]));
    });
  });

  describe("pending requests that a tenant has sent", () => {
    test("count until they are answered, whoever they were sent to", async () => {
      const from = await vpcs(red, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"]);
      const to = await scene.vpc(blue, "10.9.0.0/16");
      const answers = await Promise.all(from.map((each) => ask(each, to.vpcId, blue.tenantId)));
      const code = "PendingVpcPeeringConnectionLimitExceeded";
      expect(codesOf(answers)).toEqual(["201", "201", "201", code]);
      const left = from.filter((_, index) => answers[index]?.status !== 201);
      const [sent, other] = answers.filter(({ status }) => status === 201);
      const again = await ask(
        from[answers.indexOf(sent as Answer)] as Owned,
        to.vpcId,
        blue.tenantId,
      );
      expect(again).toMatchObject({ status: 200, body: { id: sent?.body.id } });
      expect((await scene.accept(to, sent?.body.id)).body.state).toBe("active");
      expect((await ask(left[0] as Owned, to.vpcId, blue.tenantId)).status).toBe(201);
      const [last] = await vpcs(red, ["10.5.0.0/16"]);
      expectRefusal(await ask(last as Owned, to.vpcId, blue.tenantId), { status: 409, code });
      await scene.must(200, blue, "POST", `/vpc-peerings/${other?.body.id}/reject`);
      expect((await ask(last as Owned, to.vpcId, blue.tenantId)).status).toBe(201);
    });

    test("count the same when they cannot succeed: the quota tells nothing", async () => {
      const from = await scene.vpc(red, "10.1.0.0/16");
      const code = "PendingVpcPeeringConnectionLimitExceeded";
      for (const digit of [1, 2, 3]) {
        const answer = await ask(from, `vpc-0000000000000000${digit}`, blue.tenantId);
        expect(answer).toMatchObject({ status: 201, body: { state: "pending-acceptance" } });
      }
      const real = await scene.vpc(blue, "10.2.0.0/16");
      const answers = [
        await ask(from, real.vpcId, blue.tenantId),
        await ask(from, "vpc-00000000000000009", blue.tenantId),
      ];
      const said = answers.map(({ status, body }) => [status, body.code, body.detail]);
      expect(said[0]).toEqual([409, code, expect.any(String)]);
      expect(said[1]).toEqual(said[0]);
      await failDoomedRequests(api.context);
      expect((await ask(from, real.vpcId, blue.tenantId)).status).toBe(201);
    });

    test("do not count for those who received them", async () => {
      const from = await vpcs(red, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
      const to = await scene.vpc(blue, "10.9.0.0/16");
      for (const each of from) await scene.request(each, to);
      expect(await scene.request(to, await scene.vpc(red, "10.4.0.0/16"))).toMatch(/^pcx-/);
    });
  });

  describe("live peerings of a VPC", () => {
    const code = "ActiveVpcPeeringConnectionPerVpcLimitExceeded";

    test("are counted on accept, at the accepter", async () => {
      const from = await vpcs(red, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
      const hub = await scene.vpc(blue, "10.9.0.0/16");
      const ids = await Promise.all(from.map((each) => scene.request(each, hub)));
      const answers = await Promise.all(ids.map((id) => scene.accept(hub, id)));
      expect(codesOf(answers)).toEqual(["200", "200", code]);
      const refused = ids[answers.findIndex(({ status }) => status === 409)] ?? "";
      expect(await scene.stateOf(hub, refused)).toBe("pending-acceptance");
      const live = ids.find((id) => id !== refused) ?? "";
      await scene.end(hub, live);
      expect((await scene.accept(hub, refused)).body.state).toBe("active");
    });

    test("are counted on accept, at the requester", async () => {
      const hub = await scene.vpc(red, "10.9.0.0/16");
      const to = await vpcs(blue, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
      const ids = await Promise.all(to.map((each) => scene.request(hub, each)));
      const answers = await Promise.all(
        ids.map((id, index) => scene.accept(to[index] as Owned, id)),
      );
      expect(codesOf(answers)).toEqual(["200", "200", code]);
    });

    test("do not include pending and ended ones", async () => {
      const hub = await scene.vpc(red, "10.9.0.0/16");
      const [one, two, three] = await vpcs(blue, ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
      await scene.end(hub, await scene.peer(hub, one as Owned));
      await scene.request(hub, one as Owned);
      const live = [await scene.peer(hub, two as Owned), await scene.peer(hub, three as Owned)];
      expect((await scene.routes(hub)).map(({ target }) => target)).toEqual(live);
    });
  });
});

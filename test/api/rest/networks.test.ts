import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

describe.each(answerEngines)("VPCs, subnets and network interfaces on $name", (engine) => {
  let api: TestApi;
  let token: string;
  let tenantId: string;

  beforeAll(async () => {
    api = await startTestApi(engine);
    ({ token, tenantId } = await api.createTenantWithKey("network-admin"));
  });
  afterAll(() => api.stop());

  const post = (url: string, body: unknown) => api.call(token, "POST", url, body);
  const get = (url: string) => api.call(token, "GET", url);

  async function newSubnet(): Promise<{ vpcId: string; subnetId: string }> {
    const vpcId = await api.createVpc(token, "10.0.0.0/16");
    const { status, body } = await post("/v1/subnets", { vpcId, cidrBlock: "10.0.1.0/28" });
    expect(status).toBe(201);
    return { vpcId, subnetId: body.id };
  }

  describe("VPCs", () => {
    test("are created, shown, listed, changed and deleted", async () => {
      const input = { name: "web", cidrBlock: "10.1.0.0/16", tags: { env: "prod" } };
      const created = await post("/v1/vpcs", input);
      expect(created.status).toBe(201);
      expect(created.body).toMatchObject({
        tenantId,
        name: "web",
        cidrBlocks: [{ cidrBlock: "10.1.0.0/16", primary: true }],
        state: "available",
        tags: { env: "prod" },
        dataPlane: { state: "noop" },
      });
      const { id, bridge, createdAt } = created.body;
      expect(id).toMatch(/^vpc-[0-9a-f]{17}$/);
      expect(bridge.length).toBeLessThanOrEqual(15);
      expect(new Date(createdAt).toISOString()).toBe(createdAt);

      const path = `/v1/vpcs/${id}`;
      expect((await get(path)).body.id).toBe(id);
      const changed = await api.call(token, "PATCH", path, { name: null, tags: { a: "b" } });
      expect(changed.body).toMatchObject({ name: null, tags: { a: "b" } });
      const untouched = await api.call(token, "PATCH", path);
      expect(untouched.body).toMatchObject({ name: null, tags: { a: "b" } });
      expect((await api.call(token, "DELETE", path)).status).toBe(204);
      const gone = await get(path);
      expect(gone).toMatchObject({ status: 404, body: { code: "InvalidVpcID.NotFound" } });
    });

    test.each([
      ["10.0.0.1/16", "InvalidVpcRange", "10.0.0.0/16"],
      ["10.0.0.0/8", "InvalidVpcRange", "/16"],
      ["10.0.0.0/29", "InvalidVpcRange", "/28"],
      ["127.0.0.0/16", "InvalidVpcRange", "loopback"],
      ["169.254.0.0/16", "InvalidVpcRange", "link-local"],
      ["224.0.0.0/16", "InvalidVpcRange", "multicast"],
      ["10.0.0.0", "ValidationError", "10.0.0.0"],
      ["10.0.0.0/33", "ValidationError", "10.0.0.0/33"],
      ["ten/16", "ValidationError", "ten/16"],
      ["fd00::/64", "ValidationError", "fd00::/64"],
      ["", "ValidationError", ""],
    ])("the block %j is refused with %s", async (cidrBlock, code, naming) => {
      const before = (await get("/v1/vpcs?limit=1000")).body.items.length;
      const { status, body } = await post("/v1/vpcs", { cidrBlock });
      expect(status).toBe(400);
      expect(body).toMatchObject({ code, errors: [{ pointer: "/cidrBlock" }] });
      expect(body.detail).toContain(naming);
      expect((await get("/v1/vpcs?limit=1000")).body.items).toHaveLength(before);
    });

    test("are found by tag and by id", async () => {
      const input = { cidrBlock: "10.0.0.0/16", tags: { "app/tier": "db & cache" } };
      const { body: wanted } = await post("/v1/vpcs", input);
      await post("/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: { "app/tier": "web" } });
      const query = new URLSearchParams({ "tag:app/tier": "db & cache" });
      for (const search of [query, `vpcId=${wanted.id}`]) {
        const { body } = await get(`/v1/vpcs?${search}`);
        expect(body.items.map((vpc: { id: string }) => vpc.id)).toEqual([wanted.id]);
      }
    });

    test("with subnets are not deleted, and say which", async () => {
      const { vpcId, subnetId } = await newSubnet();
      const refused = await api.call(token, "DELETE", `/v1/vpcs/${vpcId}`);
      expect(refused).toMatchObject({ status: 409, body: { code: "DependencyViolation" } });
      expect(refused.body.blockedBy).toEqual([subnetId]);
      expect((await get(`/v1/vpcs/${vpcId}`)).status).toBe(200);
    });
  });

  describe("subnets", () => {
    test("know their gateway, and the rest of their life", async () => {
      const { vpcId, subnetId } = await newSubnet();
      const path = `/v1/subnets/${subnetId}`;
      const shown = await get(path);
      expect(shown.body).toMatchObject({
        id: subnetId,
        vpcId,
        tenantId,
        cidrBlock: "10.0.1.0/28",
        gateway: "10.0.1.1",
        name: null,
        tags: {},
        dataPlane: { state: "noop" },
      });
      const changed = await api.call(token, "PATCH", path, { name: "front" });
      expect(changed.body.name).toBe("front");
      const listed = await get(`/v1/subnets?vpcId=${vpcId}`);
      expect(listed.body.items).toHaveLength(1);
      expect((await api.call(token, "DELETE", path)).status).toBe(204);
      const gone = await get(path);
      expect(gone).toMatchObject({ status: 404, body: { code: "InvalidSubnetID.NotFound" } });
    });

    test.each([
      ["10.0.1.0/24", 409, "InvalidSubnet.Conflict"],
      ["10.0.1.0/28", 409, "InvalidSubnet.Conflict"],
      ["10.1.0.0/24", 400, "InvalidSubnet.Range"],
      ["10.0.2.1/24", 400, "InvalidSubnet.Range"],
      ["10.0.0.0/29", 400, "InvalidSubnet.Range"],
      ["x", 400, "ValidationError"],
    ])("beside 10.0.1.0/28, %s is %i %s", async (cidrBlock, status, code) => {
      const { vpcId } = await newSubnet();
      const refused = await post("/v1/subnets", { vpcId, cidrBlock });
      expect(refused).toMatchObject({ status, body: { code } });
      const listed = await get(`/v1/subnets?vpcId=${vpcId}`);
      expect(listed.body.items).toHaveLength(1);
    });

    test("of racing overlapping ones exactly one is made", async () => {
      const vpcId = await api.createVpc(token, "10.0.0.0/16");
      const blocks = ["10.0.0.0/20", "10.0.0.0/24", "10.0.8.0/21", "10.0.0.0/17"];
      const racing = blocks.map((cidrBlock) => post("/v1/subnets", { vpcId, cidrBlock }));
      const statuses = (await Promise.all(racing)).map((answer) => answer.status);
      expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(1);
      expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
      const again = Array.from({ length: 8 }, () =>
        post("/v1/subnets", { vpcId, cidrBlock: "10.0.128.0/24" }),
      );
      const outcomes = (await Promise.all(again)).map((answer) => answer.status).sort();
      expect(outcomes).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    });
  });

  describe("network interfaces", () => {
    test("get the first free address, or the one asked for", async () => {
      const { vpcId, subnetId } = await newSubnet();
      const first = await post("/v1/network-interfaces", { subnetId, name: "a" });
      expect(first.status).toBe(201);
      expect(first.body).toMatchObject({
        subnetId,
        vpcId,
        tenantId,
        privateIp: "10.0.1.4",
        gateway: "10.0.1.1",
        state: "available",
        dataPlane: { state: "noop" },
      });
      expect(first.body.macAddress).toMatch(/^02(:[0-9a-f]{2}){5}$/);
      const chosen = { subnetId, privateIp: "10.0.1.9", macAddress: "02:AA:00:00:00:01" };
      const second = await post("/v1/network-interfaces", chosen);
      const addresses = { privateIp: "10.0.1.9", macAddress: "02:aa:00:00:00:01" };
      expect(second.body).toMatchObject(addresses);
      const listed = await get(`/v1/network-interfaces?vpcId=${vpcId}&subnetId=${subnetId}`);
      expect(listed.body.items).toHaveLength(2);
      const path = `/v1/network-interfaces/${first.body.id}`;
      const changed = await api.call(token, "PATCH", path, { tags: { role: "web" } });
      expect(changed.body).toMatchObject({ name: "a", tags: { role: "web" } });
      const subnet = await api.call(token, "DELETE", `/v1/subnets/${subnetId}`);
      expect(subnet).toMatchObject({ status: 409, body: { code: "DependencyViolation" } });
      expect((await api.call(token, "DELETE", path)).status).toBe(204);
      expect((await get(path)).body.code).toBe("InvalidNetworkInterfaceID.NotFound");
    });

    test.each([
      [{ privateIp: "10.0.1.3" }, 400, "InvalidParameterValue", "/privateIp"],
      [{ privateIp: "10.0.1.15" }, 400, "InvalidParameterValue", "/privateIp"],
      [{ privateIp: "10.0.2.4" }, 400, "InvalidParameterValue", "/privateIp"],
      [{ privateIp: "nowhere" }, 400, "ValidationError", "/privateIp"],
      [{ privateIp: "10.0.1.5" }, 409, "PrivateIpInUse", "/privateIp"],
      [{ macAddress: "02:00:00:00:00:05" }, 409, "MacAddressInUse", "/macAddress"],
      [{ macAddress: "01:00:00:00:00:05" }, 400, "InvalidParameterValue", "/macAddress"],
      [{ macAddress: "0a:50:00:00:00:01" }, 400, "InvalidParameterValue", "/macAddress"],
      [{ macAddress: "02-00" }, 400, "InvalidParameterValue", "/macAddress"],
    ])("%j is refused: %i %s", async (wish, status, code, pointer) => {
      const { subnetId } = await newSubnet();
      const taken = { subnetId, privateIp: "10.0.1.5", macAddress: "02:00:00:00:00:05" };
      expect((await post("/v1/network-interfaces", taken)).status).toBe(201);
      const refused = await post("/v1/network-interfaces", { subnetId, ...wish });
      expect(refused).toMatchObject({ status, body: { code, errors: [{ pointer }] } });
    });

    test.each([
      ["10.0.2.4", "10.0.2.4 is outside the subnet's block 10.0.1.0/28"],
      ["10.0.1.16", "10.0.1.16 is outside the subnet's block 10.0.1.0/28"],
      [
        "10.0.1.3",
        "10.0.1.3 is reserved: the first four addresses of 10.0.1.0/28 and the last are",
      ],
      ["fd00::5", '"fd00::5" is not an IPv4 address'],
    ])("%s: why it cannot be had", async (privateIp, detail) => {
      const { subnetId } = await newSubnet();
      const refused = await post("/v1/network-interfaces", { subnetId, privateIp });
      expect(refused).toMatchObject({ status: 400, body: { detail } });
    });

    test("share a subnet of 11 addresses between 11 racers, and refuse the twelfth", async () => {
      const { subnetId } = await newSubnet();
      const racing = Array.from({ length: 12 }, () => post("/v1/network-interfaces", { subnetId }));
      const answers = await Promise.all(racing);
      const made = answers.filter((answer) => answer.status === 201);
      expect(new Set(made.map((answer) => answer.body.privateIp)).size).toBe(11);
      const refused = answers.filter((answer) => answer.status !== 201);
      expect(refused).toMatchObject([
        { status: 409, body: { code: "InsufficientFreeAddressesInSubnet" } },
      ]);
    });
  });

  test("an operator reads them in every tenant", async () => {
    const { vpcId, subnetId } = await newSubnet();
    for (const path of [`/v1/vpcs/${vpcId}`, `/v1/subnets/${subnetId}`]) {
      expect((await api.call(api.operatorToken, "GET", path)).status).toBe(200);
    }
    const { body } = await api.call(api.operatorToken, "GET", `/v1/subnets?vpcId=${vpcId}`);
    expect(body.items).toHaveLength(1);
  });
});

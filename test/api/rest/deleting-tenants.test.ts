import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { Scene } from "../../support/scene.js";

describe.each(answerEngines)("deleting a tenant on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    scene = new Scene(api);
  });
  afterAll(() => api.stop());

  const operator = (method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object) =>
    api.call(api.operatorToken, method, `/v1${path}`, body);

  test("takes its keys with it, and it is not there any more", async () => {
    const { tenantId, token } = await api.createTenantWithKey("admin");
    await api.addKey(tenantId, "viewer");
    const path = `/tenants/${tenantId}`;
    const headers = { authorization: `Bearer ${token}` };
    const url = "/v1/events/stream";
    const stream = await api.app.inject({ method: "GET", url, headers, payloadAsStream: true });
    const ended = new Promise((resolve) => stream.stream().once("close", resolve).resume());
    expect((await operator("DELETE", path)).status).toBe(204);
    await ended;
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(401);
    for (const method of ["GET", "DELETE", "PATCH"] as const) {
      const body = method === "PATCH" ? { suspended: false } : undefined;
      expect((await operator(method, path, body)).body.code).toBe("InvalidTenantID.NotFound");
    }
    const keys = `${path}/access-keys`;
    expect((await operator("GET", keys)).status).toBe(404);
    expect((await operator("POST", keys, { roles: ["admin"] })).status).toBe(404);
    const { items } = (await operator("GET", "/tenants?limit=1000")).body;
    expect(items.map(({ id }: { id: string }) => id)).not.toContain(tenantId);
    await api.context.credentials.reload();
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(401);
  });

  test("is refused while it has a VPC, which is named", async () => {
    const { tenantId, token } = await api.createTenantWithKey("admin");
    const vpc = await api.createVpc(token, "10.0.0.0/16");
    const refused = await operator("DELETE", `/tenants/${tenantId}`);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ code: "DependencyViolation", blockedBy: [vpc] });
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(200);
    await operator("PATCH", `/tenants/${tenantId}`, { suspended: true });
    expect((await operator("DELETE", `/tenants/${tenantId}`)).status).toBe(409);
    await operator("PATCH", `/tenants/${tenantId}`, { suspended: false });
    expect((await api.call(token, "DELETE", `/v1/vpcs/${vpc}`)).status).toBe(204);
    expect((await operator("DELETE", `/tenants/${tenantId}`)).status).toBe(204);
  });

  test("keeps its id from ever being another's, and leaves the other side of a peering as it is", async () => {
    const [one, two] = [
      await api.createTenantWithKey("admin"),
      await api.createTenantWithKey("admin"),
    ];
    const mine = await scene.vpc(one, "10.1.0.0/16");
    const theirs = await scene.vpc(two, "10.2.0.0/16");
    const id = await scene.peer(mine, theirs);
    await scene.must(200, two, "DELETE", `/vpc-peerings/${id}?wait=10`);
    const before = await scene.must(200, two, "GET", `/vpc-peerings/${id}`);
    await scene.must(204, one, "DELETE", `/vpcs/${mine.vpcId}`);
    expect((await operator("DELETE", `/tenants/${one.tenantId}`)).status).toBe(204);
    expect(await scene.must(200, two, "GET", `/vpc-peerings/${id}`)).toEqual(before);
    const again = await operator("POST", "/tenants", { name: "heir", id: one.tenantId });
    expect(again.status).toBe(409);
    expect(again.body.code).toBe("TenantAlreadyExists");
    const ends = { requesterVpcId: theirs.vpcId, accepterVpcId: mine.vpcId };
    const asked = { ...ends, accepterTenantId: one.tenantId };
    await scene.must(201, two, "POST", "/vpc-peerings", asked);
  });

  test("and creating a VPC in it: one of the two is refused", async () => {
    for (let round = 0; round < 8; round += 1) {
      const { tenantId, token } = await api.createTenantWithKey("admin");
      const [gone, made] = await Promise.all([
        operator("DELETE", `/tenants/${tenantId}`),
        api.call(token, "POST", "/v1/vpcs", { cidrBlock: "10.0.0.0/16" }),
      ]);
      const vpcs = await api.context.db.vpc.count({ where: { tenantId } });
      const outcome = [gone.status, made.status, vpcs];
      expect([
        [204, 401, 0],
        [409, 201, 1],
      ]).toContainEqual(outcome);
    }
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

describe.each(answerEngines)("tenants and access keys on $name", (engine) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi(engine);
  });
  afterAll(() => api.stop());

  const operator = (method: "GET" | "POST" | "PATCH", url: string, body?: unknown) =>
    api.call(api.operatorToken, method, url, body);

  test("a tenant is created with a random id or a chosen one, once", async () => {
    const random = await operator("POST", "/v1/tenants", { name: "Red" });
    expect(random.status).toBe(201);
    expect(random.body).toMatchObject({ name: "Red", suspended: false });
    expect(random.body.id).toMatch(/^[0-9]{12}$/);
    const chosen = await operator("POST", "/v1/tenants", { name: "Blue", id: "000000000001" });
    expect(chosen.body.id).toBe("000000000001");
    const again = await operator("POST", "/v1/tenants", { name: "Blue", id: "000000000001" });
    expect(again).toMatchObject({ status: 409, body: { code: "TenantAlreadyExists" } });
    const shown = await operator("GET", `/v1/tenants/${random.body.id}`);
    expect(shown.body).toEqual(random.body);
  });

  test("whoami tells the tenant, the roles and what they allow", async () => {
    const viewer = await api.createTenantWithKey("viewer");
    const { body } = await api.call(viewer.token, "GET", "/v1/whoami");
    expect(body).toMatchObject({ tenantId: viewer.tenantId, roles: ["viewer"] });
    expect(body.permissions).toContain("vpc:read");
    expect(body.permissions).not.toContain("vpc:create");
    const own = await operator("GET", "/v1/whoami");
    expect(own.body).toMatchObject({ tenantId: null, roles: ["operator"] });
  });

  test("a secret is shown once, and stored and logged nowhere in the clear", async () => {
    const { body: tenant } = await operator("POST", "/v1/tenants", { name: "keys" });
    const path = `/v1/tenants/${tenant.id}/access-keys`;
    const issued = await operator("POST", path, { roles: ["admin", "viewer"] });
    expect(issued.status).toBe(201);
    expect(issued.headers["cache-control"]).toBe("no-store");
    const { id, secret, token, roles } = issued.body;
    expect(token).toContain(id);
    expect(roles).toEqual(["admin", "viewer"]);
    expect(Buffer.from(secret, "base64url").length).toBeGreaterThanOrEqual(32);

    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(200);
    const listed = await operator("GET", path);
    expect(listed.body.items).toEqual([
      {
        id,
        tenantId: tenant.id,
        name: null,
        roles,
        createdAt: expect.any(String),
        lastUsedAt: expect.any(String),
      },
    ]);
    const row = await api.context.db.accessKey.findUniqueOrThrow({ where: { id } });
    expect(Buffer.from(row.encryptedSecret).includes(secret)).toBe(false);
    expect(api.logged()).toContain(path);
    expect(api.logged()).not.toContain(secret);
    expect(api.logged()).not.toContain(api.operatorToken);
  });

  test("an admin gives away roles within its own, in its own tenant", async () => {
    const admin = await api.createTenantWithKey("admin");
    const path = `/v1/tenants/${admin.tenantId}/access-keys`;
    const given = await api.call(admin.token, "POST", path, { roles: ["network-admin"] });
    expect(given.status).toBe(201);
    const grown = await api.call(given.body.token, "POST", path, { roles: ["viewer"] });
    expect(grown).toMatchObject({ status: 403, body: { code: "Forbidden" } });
    const operatorRole = await api.call(admin.token, "POST", path, { roles: ["operator"] });
    expect(operatorRole).toMatchObject({ status: 400, body: { code: "ValidationError" } });
    expect(operatorRole.body.errors[0].pointer).toBe("/roles/0");
    const twice = await api.call(admin.token, "POST", path, { roles: ["viewer", "viewer"] });
    expect(twice.body.errors).toEqual([{ pointer: "/roles/1", detail: "named twice" }]);
  });

  test("pages follow one another without gaps, and cursors belong to their list", async () => {
    for (const name of ["one", "two", "three"]) await operator("POST", "/v1/tenants", { name });
    const all = (await operator("GET", "/v1/tenants?limit=1000")).body;
    expect(all.nextCursor).toBeNull();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const from: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { body } = await operator("GET", `/v1/tenants?limit=2${from}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((tenant: { id: string }) => tenant.id));
      cursor = body.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(all.items.map((tenant: { id: string }) => tenant.id));

    const { body } = await operator("GET", "/v1/tenants?limit=1");
    const elsewhere = await operator("GET", `/v1/vpcs?cursor=${body.nextCursor}`);
    expect(elsewhere).toMatchObject({ status: 400, body: { code: "ValidationError" } });
    expect(elsewhere.body.errors[0]).toMatchObject({ parameter: "cursor", in: "query" });
  });

  test("suspending shows, and renaming keeps the rest", async () => {
    const { body } = await operator("POST", "/v1/tenants", { name: "before" });
    const path = `/v1/tenants/${body.id}`;
    const suspended = await operator("PATCH", path, { suspended: true });
    expect(suspended.body).toEqual({ ...body, suspended: true });
    const renamed = await operator("PATCH", path, { name: "after" });
    expect(renamed.body).toEqual({ ...body, name: "after", suspended: true });
    expect((await operator("PATCH", path)).body).toEqual(renamed.body);
  });

  test("what does not exist is 404 with a code of its own", async () => {
    const tenant = await operator("GET", "/v1/tenants/999999999999");
    expect(tenant).toMatchObject({ status: 404, body: { code: "InvalidTenantID.NotFound" } });
    const { body } = await operator("POST", "/v1/tenants", { name: "no keys" });
    const path = `/v1/tenants/${body.id}/access-keys/AKPBAAAAAAAAAAAAAAAA`;
    const key = await api.call(api.operatorToken, "DELETE", path);
    expect(key).toMatchObject({ status: 404, body: { code: "InvalidAccessKeyID.NotFound" } });
  });
});

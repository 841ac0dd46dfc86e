import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newAccessKeyId } from "../../../src/domain/ids.js";
import { Credentials } from "../../../src/services/credentials/credentials.js";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { type Cut, type CuttingProxy, startCuttingProxy } from "../../support/cutting-proxy.js";
import { databaseEngines } from "../../support/databases.js";

const UNKNOWN_KEY = "AKPBAAAAAAAAAAAAAAAA.guessed";

const HEARD = { timeout: 5000, interval: 50 };

const keysOf = ({ tenantId }: TenantKey) => `/v1/tenants/${tenantId}/access-keys`;

describe.each(databaseEngines)("credentials in memory on $name", (engine) => {
  let api: TestApi;
  let admin: TenantKey;
  let statements = 0;

  beforeAll(async () => {
    api = await startTestApi(engine, {
      quotas: { accessKeysPerTenant: 10_000 },
      onStatement: () => {
        statements += 1;
      },
      sweeping: false,
    });
    admin = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    statements = 0;
  });

  const statusOf = async (token: string) => (await api.call(token, "GET", "/v1/whoami")).status;
  const suspend = (tenantId: string, suspended: boolean) =>
    api.call(api.operatorToken, "PATCH", `/v1/tenants/${tenantId}`, { suspended });

  test("nobody is looked up in the database", async () => {
    expect(await statusOf(admin.token)).toBe(200);
    expect(await statusOf(api.operatorToken)).toBe(200);
    expect(await statusOf(UNKNOWN_KEY)).toBe(401);
    expect(await statusOf(`${admin.token}x`)).toBe(401);
    expect(statements).toBe(0);
  });

  test("beside another daemon what it changes is heard of within a second", async () => {
    const { db, secrets } = api.context;
    let isShared = false;
    const beside = new Credentials(db, secrets, () => isShared);
    await beside.reload();
    const { keyId, token } = await api.addKey(admin.tenantId, "viewer");
    const [id = "", secret = ""] = token.split(".");
    const knows = async () => (await beside.holder(id, secret)) !== undefined;
    expect(await knows()).toBe(false);
    isShared = true;
    await expect.poll(knows, HEARD).toBe(true);
    await api.call(admin.token, "DELETE", `${keysOf(admin)}/${keyId}`);
    await expect.poll(knows, HEARD).toBe(false);
  });

  test("a change holds from its answer on, and costs whoever comes next nothing", async () => {
    const { tenantId, keyId, token } = await api.addKey(admin.tenantId, "viewer");
    statements = 0;
    expect(await statusOf(token)).toBe(200);
    await suspend(tenantId, true);
    statements = 0;
    expect([await statusOf(token), await statusOf(admin.token)]).toEqual([401, 401]);
    expect(statements).toBe(0);
    await suspend(tenantId, false);
    statements = 0;
    expect([await statusOf(token), await statusOf(admin.token)]).toEqual([200, 200]);
    expect(statements).toBe(0);
    await api.call(admin.token, "DELETE", `${keysOf(admin)}/${keyId}`);
    statements = 0;
    expect([await statusOf(token), await statusOf(admin.token)]).toEqual([401, 200]);
    expect(statements).toBe(0);
  });

  test("a key that is made while its tenant is suspended works once it is not", async () => {
    const tenant = await api.createTenantWithKey("admin");
    await suspend(tenant.tenantId, true);
    const { token } = await api.addKey(tenant.tenantId, "viewer");
    expect(await statusOf(token)).toBe(401);
    await suspend(tenant.tenantId, false);
    expect(await statusOf(token)).toBe(200);
  });

  test("changes at the same time leave what is stored", async () => {
    const tenant = await api.createTenantWithKey("admin");
    const made = await Promise.all(
      Array.from({ length: 6 }, () => api.addKey(tenant.tenantId, "viewer")),
    );
    const work = made.flatMap(({ keyId }, i) => [
      suspend(tenant.tenantId, i % 2 === 0),
      api.call(api.operatorToken, "DELETE", `${keysOf(tenant)}/${keyId}`),
      api.call(api.operatorToken, "DELETE", `${keysOf(tenant)}/${keyId}`),
      statusOf(tenant.token),
    ]);
    await Promise.all(work);
    const { db } = api.context;
    const where = { id: tenant.tenantId };
    const { suspended } = await db.tenant.findUniqueOrThrow({ where });
    statements = 0;
    expect(await statusOf(tenant.token)).toBe(suspended ? 401 : 200);
    for (const { token } of made) expect(await statusOf(token)).toBe(401);
    expect(statements).toBe(0);
  });

  test("all of many keys are there after a start", async () => {
    const { db, secrets, credentials } = api.context;
    const { tenantId } = await api.createTenantWithKey("admin");
    const keys = Array.from({ length: 4100 }, () => {
      const id = newAccessKeyId();
      return { id, secret: randomBytes(32).toString("base64url") };
    });
    const rows = keys.map(({ id, secret }) => {
      const encryptedSecret = new Uint8Array(secrets.seal(secret, id));
      return { id, tenantId, roles: ["viewer"], encryptedSecret };
    });
    const [altered] = rows;
    if (altered !== undefined) altered.encryptedSecret = new Uint8Array(60);
    await db.accessKey.createMany({ data: rows });
    const tokens = keys.map(({ id, secret }) => `${id}.${secret}`);
    const [first = "", second = ""] = tokens;
    const last = tokens.at(-1) ?? "";
    expect(await statusOf(second), "added behind the daemon's back").toBe(401);
    await credentials.reload();
    expect(credentials.unreadable).toBe(1);
    statements = 0;
    expect([await statusOf(second), await statusOf(last)]).toEqual([200, 200]);
    expect(await statusOf(first), "cannot be unsealed").toBe(401);
    expect(await statusOf(admin.token)).toBe(200);
    expect(statements).toBe(0);
    await db.accessKey.deleteMany({ where: { tenantId } });
    const reloading = credentials.reload();
    expect(await statusOf(last), "nothing is decided by what was known before").toBe(401);
    await reloading;
  });
});

describe("when nobody knows whether a change was committed", () => {
  let proxy: CuttingProxy;
  let api: TestApi;
  let tenant: TenantKey;

  beforeAll(async () => {
    const engine = databaseEngines.find(({ name }) => name === "postgres");
    if (engine === undefined) throw new Error("no PostgreSQL to test on");
    const fresh = async () => {
      const database = await engine.fresh();
      proxy = await startCuttingProxy(database.databaseUrl ?? "");
      return { ...database, databaseUrl: proxy.url };
    };
    api = await startTestApi({ name: "postgres", fresh }, { sweeping: false });
  });
  afterAll(async () => {
    await api.stop();
    await proxy.stop();
  });
  beforeEach(async () => {
    tenant = await api.createTenantWithKey("admin");
  });

  const statusOf = async (token: string) => (await api.call(token, "GET", "/v1/whoami")).status;
  const asOperator = (method: "POST" | "PATCH" | "DELETE", url: string, body?: unknown) =>
    api.call(api.operatorToken, method, url, body);
  const cuts: readonly Cut[] = ["before", "after"];

  async function lose(change: () => ReturnType<typeof asOperator>, cut: Cut): Promise<void> {
    proxy.cutNextCommit(cut);
    const { status } = await change();
    expect(status).toBe(503);
  }

  test.each(cuts)("a key that was to be revoked: cut %s the commit", async (cut) => {
    const { keyId, token } = await api.addKey(tenant.tenantId, "viewer");
    await lose(() => asOperator("DELETE", `${keysOf(tenant)}/${keyId}`), cut);
    expect(await statusOf(token)).toBe(cut === "after" ? 401 : 200);
    expect(await statusOf(tenant.token)).toBe(200);
  });

  test.each(cuts)("a tenant that was to be suspended: cut %s the commit", async (cut) => {
    await lose(
      () => asOperator("PATCH", `/v1/tenants/${tenant.tenantId}`, { suspended: true }),
      cut,
    );
    expect(await statusOf(tenant.token)).toBe(cut === "after" ? 401 : 200);
  });

  test.each(cuts)("a key that was to be made: cut %s the commit", async (cut) => {
    const headers = { "idempotency-key": `lost-${cut}` };
    const create = () =>
      api.call(tenant.token, "POST", keysOf(tenant), { roles: ["viewer"] }, { headers });
    proxy.cutNextCommit(cut);
    // The first commit of the call is its own: a key is claimed with single statements.
    expect((await create()).status).toBe(503);
    const repeated = await create();
    expect(repeated.status).toBe(201);
    expect(await statusOf(repeated.body.token)).toBe(200);
    expect((await api.call(tenant.token, "GET", keysOf(tenant))).body.items).toHaveLength(2);
  });

  test("nobody concerned gets in or is refused until it can be read", async () => {
    const { keyId, token } = await api.addKey(tenant.tenantId, "viewer");
    await lose(() => asOperator("DELETE", `${keysOf(tenant)}/${keyId}`), "after");
    proxy.close();
    expect(await statusOf(token)).toBe(503);
    expect(await statusOf(`${keyId}.wrong`), "that is no question").toBe(401);
    expect(await statusOf(tenant.token), "nor is this").toBe(200);
    expect(await statusOf(UNKNOWN_KEY)).toBe(401);
    proxy.open();
    expect(await statusOf(token)).toBe(401);
  });

  test("nobody at all does while everything is to be read again", async () => {
    proxy.close();
    await expect(api.context.credentials.reload()).rejects.toThrow();
    for (const token of [tenant.token, UNKNOWN_KEY]) {
      const { status, body } = await api.call(token, "GET", "/v1/whoami");
      expect({ status, code: body.code }).toEqual({ status: 503, code: "ServiceUnavailable" });
    }
    expect(await statusOf(api.operatorToken)).toBe(200);
    proxy.open();
    expect([await statusOf(tenant.token), await statusOf(UNKNOWN_KEY)]).toEqual([200, 401]);
  });

  test("a commit that is still under way is waited for", async () => {
    const { keyId, token } = await api.addKey(tenant.tenantId, "viewer");
    const { db, credentials } = api.context;
    let commit = (): void => {};
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let isDeleted = (): void => {};
    const deleted = new Promise<void>((resolve) => {
      isDeleted = resolve;
    });
    // As the server has it whose client has lost the connection: deleted, locked, not yet committed.
    const underWay = db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM "tenant" WHERE "id" = ${tenant.tenantId} FOR NO KEY UPDATE`;
      await tx.accessKey.delete({ where: { id: keyId } });
      isDeleted();
      await held;
    });
    await deleted;
    const refreshed = credentials.refresh({ tenantId: tenant.tenantId, keyId });
    const asked = statusOf(token);
    commit();
    await underWay;
    await refreshed;
    expect(await asked).toBe(401);
  });
});

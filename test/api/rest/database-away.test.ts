import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";

describe("while PostgreSQL is away", () => {
  let server: PostgresServer;
  let api: TestApi;

  beforeAll(async () => {
    server = await startPostgres();
    api = await startTestApi({ name: "postgres", fresh });
  });
  afterAll(async () => {
    await api.stop();
    await server.stop();
  });

  async function fresh() {
    const databaseUrl = await server.createDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), "patchbay-away-"));
    return { databaseUrl, dataDir, cleanup: () => rm(dataDir, { recursive: true }) };
  }

  test("readyz and calls answer 503 without internals, and recover without a restart", async () => {
    const { token } = await api.createTenantWithKey("admin");
    const vpc = await api.createVpc(token, "10.0.0.0/16");
    await server.kill();
    const ready = await api.call(undefined, "GET", "/readyz");
    expect(ready).toMatchObject({ status: 503, body: { code: "ServiceUnavailable" } });
    for (const name of ["database reads", "database writes"]) {
      expect(ready.body.checks).toContainEqual(expect.objectContaining({ name, ok: false }));
    }
    expect((await api.call(undefined, "GET", "/livez")).status).toBe(200);

    const calls = [
      await api.call(token, "GET", `/v1/vpcs/${vpc}`),
      await api.call(token, "POST", "/v1/vpcs", { cidrBlock: "10.1.0.0/16" }),
      await api.call(api.operatorToken, "GET", "/v1/tenants"),
    ];
    for (const { status, body, headers } of calls) {
      expect({ status, code: body.code }).toEqual({ status: 503, code: "DatabaseUnreachable" });
      expect(headers["retry-after"]).toBeDefined();
      expect(JSON.stringify(body)).not.toMatch(/ECONN|postgres|prisma|5432|127\.0\.0\.1/i);
    }

    await server.restart();
    const status = async () => (await api.call(token, "GET", `/v1/vpcs/${vpc}`)).status;
    await expect.poll(status, { timeout: 15_000, interval: 100 }).toBe(200);
    expect((await api.call(undefined, "GET", "/readyz")).status).toBe(200);
    const { body } = await api.call(token, "GET", "/v1/vpcs");
    expect(body.items).toHaveLength(1);
  });
});

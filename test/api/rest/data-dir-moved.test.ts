import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";

/** What a daemon notes in the directory that it works on. */
const HOLDER = "1 of this run\n";
const BACK = { timeout: 15_000, interval: 50 };

describe("an embedded database whose files are no longer in their place", () => {
  let fresh: FreshDatabase;
  let api: TestApi;
  let token: string;
  let vpc: string;

  beforeAll(async () => {
    const engine = databaseEngines.find(({ name }) => name === "pglite");
    if (engine === undefined) throw new Error("no embedded database");
    fresh = await engine.fresh();
    await writeFile(lock(), HOLDER);
    api = await startTestApi({ name: "pglite", fresh: async () => fresh });
    ({ token } = await api.createTenantWithKey("admin"));
    vpc = await api.createVpc(token, "10.0.0.0/16");
  });
  afterAll(() => api.stop());

  const files = () => join(fresh.dataDir, "db");
  const lock = () => join(fresh.dataDir, "daemon.lock");
  const aside = () => `${fresh.dataDir}-aside`;
  const write = (name: string, key: string) => {
    const headers = { "idempotency-key": key };
    return api.call(token, "PATCH", `/v1/vpcs/${vpc}`, { name }, { headers });
  };
  async function readiness() {
    const { status, body } = await api.call(undefined, "GET", "/readyz");
    const failed = body.checks.filter(({ ok }: { ok: boolean }) => !ok);
    return { status, failed: failed.map(({ name }: { name: string }) => name) };
  }

  const MOVES = [
    [
      "moved away",
      async () => rename(fresh.dataDir, aside()),
      async () => rename(aside(), fresh.dataDir),
    ],
    [
      "replaced by an empty folder",
      async () => {
        await rename(fresh.dataDir, aside());
        await mkdir(fresh.dataDir);
      },
      async () => {
        await rm(fresh.dataDir, { recursive: true });
        await rename(aside(), fresh.dataDir);
      },
    ],
    [
      "replaced by a copy",
      async () => {
        await rename(files(), aside());
        await cp(aside(), files(), { recursive: true });
      },
      async () => {
        await rm(files(), { recursive: true });
        await rename(aside(), files());
      },
    ],
    [
      "mixed: its journal is a copy",
      async () => {
        await rename(join(files(), "pg_wal"), aside());
        await cp(aside(), join(files(), "pg_wal"), { recursive: true });
      },
      async () => {
        await rm(join(files(), "pg_wal"), { recursive: true });
        await rename(aside(), join(files(), "pg_wal"));
      },
    ],
    [
      "overwritten by what was there before the daemon had it",
      async () => writeFile(lock(), ""),
      async () => writeFile(lock(), HOLDER),
    ],
    [
      "taken apart",
      async () => rename(join(files(), "pg_wal"), aside()),
      async () => rename(aside(), join(files(), "pg_wal")),
    ],
  ] as const;

  test.each(MOVES)(
    "%s: nothing is changed, and all is well once they are back",
    async (how, move, back) => {
      expect((await write(`before it was ${how}`, `before-${how}`)).status).toBe(200);
      await move();
      try {
        await expect.poll(readiness, BACK).toEqual({ status: 503, failed: ["database writes"] });
        const refused = await write("lost", `while-${how}`);
        expect(refused).toMatchObject({ status: 503, body: { code: "DatabaseMoved" } });
        expect(JSON.stringify(refused.body)).not.toContain(fresh.dataDir);
      } finally {
        await back();
      }
      await expect.poll(readiness, BACK).toEqual({ status: 200, failed: [] });
      const { body } = await api.call(token, "GET", `/v1/vpcs/${vpc}`);
      expect(body.name).toBe(`before it was ${how}`);
      expect(await write("lost", `while-${how}`)).toMatchObject({ body: { name: "lost" } });
    },
  );
});

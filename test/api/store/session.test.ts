import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newTenantId } from "../../../src/domain/ids.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

/** Defaults of the database that would change what our statements mean. */
const DEFAULTS = {
  datestyle: "'SQL, DMY'",
  timezone: "'America/New_York'",
  search_path: "nowhere",
  synchronous_commit: "off",
  default_transaction_isolation: "serializable",
};

let fresh: FreshDatabase;
let database: Database;

beforeAll(async () => {
  const engine = databaseEngines.find(({ name }) => name === "postgres");
  if (engine === undefined) throw new Error("there is no PostgreSQL engine");
  fresh = await engine.fresh();
  const admin = new pg.Client({ connectionString: fresh.databaseUrl });
  await admin.connect();
  const name = new URL(fresh.databaseUrl ?? "").pathname.slice(1);
  for (const [setting, value] of Object.entries(DEFAULTS)) {
    await admin.query(`ALTER DATABASE "${name}" SET ${setting} = ${value}`);
  }
  await admin.end();
  database = await openDatabase({ ...fresh, log: recordingLog() });
});
afterAll(async () => {
  await database.close();
  await fresh.cleanup();
});

test("a session takes no defaults of the database that change what is meant", async () => {
  const names = [...Object.keys(DEFAULTS), "row_security"];
  const rows = await database.client.$queryRaw<Array<{ name: string; value: string }>>`
    SELECT name, current_setting(name) AS value FROM unnest(${names}::text[]) AS name`;
  expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
    datestyle: "ISO, MDY",
    timezone: "UTC",
    search_path: "public",
    synchronous_commit: "on",
    default_transaction_isolation: "read committed",
    row_security: "off",
  });
});

test("times are stored and read as they are", async () => {
  const { client } = database;
  const time = new Date("2026-12-06T21:08:41.5Z");
  await client.tenant.create({ data: { id: newTenantId(), name: "one", createdAt: time } });
  expect((await client.tenant.findFirst())?.createdAt).toEqual(time);
  const rows = await client.$queryRaw<Array<{ time: Date; text: string }>>`
    SELECT "created_at" AS "time", extract(epoch FROM "created_at")::text AS "text" FROM "tenant"`;
  expect(rows[0]?.time).toEqual(time);
  expect(Number(rows[0]?.text) * 1000).toBe(time.getTime());
});

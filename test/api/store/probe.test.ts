import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseHealth } from "../../../src/services/health.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { probeReads, probeWrites, TABLES } from "../../../src/store/database/probe.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

describe.each(databaseEngines)("looking at what works, on $name", (engine) => {
  let fresh: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    fresh = await engine.fresh();
    database = await openDatabase({ ...fresh, log: recordingLog() });
  });
  afterAll(async () => {
    await database.close();
    await fresh.cleanup();
  });

  test("every table that a migration has made is looked at", async () => {
    const rows = await database.client.$queryRaw<Array<{ name: string }>>`
      SELECT tablename AS name FROM pg_tables
      WHERE schemaname = current_schema() AND tablename <> '_prisma_migrations'`;
    const names = Object.values(TABLES).map(({ name }) => name);
    expect(names.sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  test("changes nothing, and needs more memory than it may use: it writes a file", async () => {
    const before = await database.client.generation.findFirst();
    await probeReads(database.client);
    await probeWrites(database.client);
    expect(await database.client.generation.findFirst()).toEqual(before);
    const plan = await database.client.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT set_config('work_mem', '64kB', true)`;
      return tx.$queryRaw<Array<Record<string, string>>>`
        EXPLAIN (ANALYZE, BUFFERS) SELECT count(*)::int FROM generate_series(1, 10000)`;
    });
    expect(JSON.stringify(plan)).toMatch(/temp read=\d+ written=\d+/);
  });

  test("many that ask are answered by one look, and all is told until it is over", async () => {
    const log = recordingLog();
    const health = databaseHealth(database.client, log, 60_000);
    await database.client.$executeRaw`ALTER TABLE "event" RENAME TO "event_away"`;
    const answers = await Promise.all(Array.from({ length: 20 }, health));
    for (const { reads, writes } of answers) {
      expect(reads).toContain("is missing or unreadable (42P01)");
      expect(writes).toContain("42P01");
    }
    expect((await health()).reads).toBeDefined();
    expect(log.lines.map(({ level, message }) => [level, message]).sort()).toEqual([
      ["warn", "the database cannot be read"],
      ["warn", "the database takes no changes"],
    ]);
    await database.client.$executeRaw`ALTER TABLE "event_away" RENAME TO "event"`;
    expect(await health()).toEqual({ reads: undefined, writes: undefined });
  });
});

test("a table that somebody holds is named as that", async () => {
  const engine = databaseEngines.find(({ name }) => name === "postgres");
  const fresh = await engine?.fresh();
  if (fresh === undefined) throw new Error("there is no PostgreSQL engine");
  const database = await openDatabase({ ...fresh, log: recordingLog() });
  const other = new pg.Client({ connectionString: fresh.databaseUrl });
  await other.connect();
  const health = databaseHealth(database.client, recordingLog());
  const held = expect.stringContaining("holds a lock");
  try {
    await other.query("BEGIN; LOCK TABLE event IN EXCLUSIVE MODE");
    expect(await health()).toEqual({ reads: undefined, writes: held });
    await other.query("ROLLBACK");
    const well = { reads: undefined, writes: undefined };
    await expect.poll(health, { timeout: 5000 }).toEqual(well);
  } finally {
    await other.end();
    await database.close();
    await fresh.cleanup();
  }
});

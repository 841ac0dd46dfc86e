import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { storeFailure } from "../../../src/store/database/errors.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { inTransaction } from "../../../src/store/database/transaction.js";
import { recordingLog } from "../../support/log.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";

const limit = { timeout: 20_000, interval: 50 };
const id = "100000000001";

describe("a PostgreSQL that dies and comes back", () => {
  const log = recordingLog();
  let server: PostgresServer;
  let dataDir: string;
  let database: Database;

  beforeAll(async () => {
    server = await startPostgres();
    dataDir = await mkdtemp(join(tmpdir(), "patchbay-test-"));
    database = await openDatabase({ databaseUrl: await server.createDatabase(), dataDir, log });
    await database.client.tenant.create({ data: { id, name: "kept" } });
  });

  afterAll(async () => {
    await database.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  });

  async function kindOf(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => "none",
      (error: unknown) => storeFailure(error).kind,
    );
  }

  function countInTransaction(): Promise<number> {
    return inTransaction(database.client, (tx) => tx.tenant.count());
  }

  test("every call says so while it is away, one under way included", async () => {
    const underWay = kindOf(database.client.$executeRaw`SELECT pg_sleep(30)`);
    const inside = kindOf(
      inTransaction(database.client, (tx) => tx.$executeRaw`SELECT pg_sleep(30)`),
    );
    await vi.waitFor(async () => {
      const sleeping = await database.client.$queryRaw<unknown[]>`
        SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'`;
      expect(sleeping).toHaveLength(2);
    }, limit);
    await server.kill();
    expect(await Promise.all([underWay, inside])).toEqual(["unavailable", "unavailable"]);
    expect(await kindOf(database.ping())).toBe("unavailable");
    expect(await kindOf(database.client.tenant.count())).toBe("unavailable");
    expect(await kindOf(database.client.$queryRaw`SELECT 1`)).toBe("unavailable");
    expect(await kindOf(countInTransaction())).toBe("unavailable");
    expect(log.lines.map(({ level }) => level)).toContain("warn");
  });

  test("a start without it fails, as unavailable", async () => {
    const databaseUrl = server.url("postgres");
    expect(await kindOf(openDatabase({ databaseUrl, dataDir, log }))).toBe("unavailable");
  });

  test("the same client works again afterwards", async () => {
    await server.restart();
    await vi.waitFor(() => database.ping(), limit);
    expect(await countInTransaction()).toBe(1);
    expect(await database.client.tenant.findMany({ select: { id: true } })).toEqual([{ id }]);
  });

  test("a restart in good order is survived as well", async () => {
    await server.restart();
    await vi.waitFor(() => database.ping(), limit);
    expect(await countInTransaction()).toBe(1);
  });
});

import { setImmediate } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseTrouble } from "../../../src/store/database/errors.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { inTransaction, type Tx } from "../../../src/store/database/transaction.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";

const BACK = { timeout: 20_000, interval: 50 };
const id = "100000000001";
/** The server gives up before we do, except where it cannot. */
const limits = {
  lockMs: 700,
  statementMs: 2000,
  idleInTransactionMs: 2500,
  answerMs: 2500,
  connectMs: 5000,
  transactionMs: 20_000,
};

describe("after we gave up waiting for PostgreSQL", () => {
  let fresh: FreshDatabase;
  let databaseUrl: string;
  let database: Database;
  let other: pg.Client;

  beforeAll(async () => {
    const engine = databaseEngines.find(({ name }) => name === "postgres");
    if (engine === undefined) throw new Error("no PostgreSQL");
    fresh = await engine.fresh();
    databaseUrl = fresh.databaseUrl ?? "";
    other = new pg.Client({ connectionString: databaseUrl });
    await other.connect();
    // A default of the database's that would stop everything, if it held for us.
    const name = new URL(databaseUrl).pathname.slice(1);
    await other.query(`ALTER DATABASE "${name}" SET statement_timeout = 1`);
    await other.query(`ALTER DATABASE "${name}" SET lock_timeout = 1`);
    database = await openDatabase({ ...fresh, log: recordingLog(), limits });
    await database.client.tenant.create({ data: { id, name: "first" } });
  });
  afterAll(async () => {
    await database.close();
    await other.end();
    await fresh.cleanup();
  });

  function rename(tx: Tx): Promise<unknown> {
    return tx.tenant.update({ where: { id }, data: { name: "renamed" } });
  }

  async function troubleOf(work: Promise<unknown>) {
    const error: unknown = await work.then(
      () => expect.unreachable("it should have failed"),
      (reason: unknown) => reason,
    );
    return databaseTrouble(error);
  }

  /** Of ours, that are in the middle of something at the server. */
  async function busy(): Promise<number> {
    const { rows } = await other.query(
      `SELECT count(*)::int AS busy FROM pg_stat_activity WHERE application_name = 'patchbay'
        AND datname = current_database() AND state <> 'idle'`,
    );
    return rows[0].busy;
  }

  async function expectNothingLeft(): Promise<void> {
    await expect.poll(busy, BACK).toBe(0);
    await inTransaction(database.client, rename);
    await rename(database.client);
  }

  async function holdingTheRow<T>(work: () => Promise<T>): Promise<T> {
    await other.query(`BEGIN; SELECT 1 FROM tenant WHERE id = '${id}' FOR UPDATE`);
    try {
      return await work();
    } finally {
      await other.query("ROLLBACK");
    }
  }

  test("for a lock that others hold, while reading goes on", async () => {
    await holdingTheRow(async () => {
      const waiting = Array.from({ length: 6 }, () => inTransaction(database.client, rename));
      const troubles = waiting.map(troubleOf);
      expect(await database.client.tenant.count()).toBe(1);
      expect(await Promise.all(troubles)).toEqual(troubles.map(() => "locked"));
      expect(await troubleOf(rename(database.client))).toBe("locked");
    });
    await expectNothingLeft();
  });

  test("for a statement that takes too long, within a transaction and without", async () => {
    const sleep = (tx: Tx) => tx.$queryRaw`SELECT pg_sleep(60)::text`;
    const both = [inTransaction(database.client, sleep), sleep(database.client)];
    expect(await Promise.all(both.map(troubleOf))).toEqual(["slow", "slow"]);
    await expectNothingLeft();
  });

  test("for a server process that hangs, within a transaction: once, not again for its end", async () => {
    let pid = 0;
    const hanging = inTransaction(database.client, async (tx) => {
      await rename(tx);
      const [row] = await tx.$queryRaw<Array<{ pid: number }>>`SELECT pg_backend_pid() AS pid`;
      pid = row?.pid ?? 0;
      process.kill(pid, "SIGSTOP");
      const troubles = [await troubleOf(tx.tenant.count()), await troubleOf(tx.tenant.count())];
      // The connection is cut: what follows, the end of the transaction too, waits for nothing.
      expect(troubles).toEqual(["slow", "unreachable"]);
      return rename(tx);
    });
    try {
      expect(await troubleOf(hanging)).toBe("unreachable");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await expectNothingLeft();
  });

  test("for a transaction of ours that takes too long", async () => {
    const endless = database.client.$transaction(
      async (tx) => {
        for (;;) {
          await rename(tx);
          await setImmediate();
        }
      },
      { timeout: 100 },
    );
    expect(await troubleOf(endless)).toBe("slow");
    await expectNothingLeft();
  });

  test("for an answer over a network that has gone silent, and nobody was told", async () => {
    const { port } = new URL(databaseUrl);
    const proxy = await startTcpProxy(Number(port));
    const url = new URL(databaseUrl);
    url.port = String(proxy.port);
    const far = await openDatabase({
      ...fresh,
      databaseUrl: url.href,
      log: recordingLog(),
      limits,
    });
    try {
      const cut = inTransaction(far.client, async (tx) => {
        await rename(tx);
        proxy.silence();
        await rename(tx);
      });
      expect(await troubleOf(cut)).toMatch(/slow|unreachable/);
      await expectNothingLeft();
    } finally {
      proxy.stop();
      await far.close();
    }
  });

  test("a session that was told it may only read is replaced by one that knows better", async () => {
    await database.client.$executeRaw`
      SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY`;
    const refused = await Promise.allSettled([inTransaction(database.client, rename)]);
    for (const outcome of refused) {
      if (outcome.status === "rejected") expect(databaseTrouble(outcome.reason)).toBe("read-only");
    }
    await inTransaction(database.client, rename);
    await expectNothingLeft();
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeFailure } from "../../../src/store/database/errors.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { inTransaction, type Tx } from "../../../src/store/database/transaction.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

const [first, second] = ["100000000001", "100000000002"];

/** Settles each of two parties when the other has come as well, once. */
function meetingPoint(): () => Promise<void> {
  let arrived = 0;
  let open: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    arrived += 1;
    if (arrived === 2) open();
    return both;
  };
}

function lock(tx: Tx, id: string) {
  return tx.$queryRaw`SELECT id FROM tenant WHERE id = ${id} FOR UPDATE`;
}

describe.each(databaseEngines)("inTransaction on $name", (engine) => {
  let fresh: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    fresh = await engine.fresh();
    database = await openDatabase({ ...fresh, log: recordingLog() });
    const tenants = [first, second].map((id) => ({ id, name: "before" }));
    await database.client.tenant.createMany({ data: tenants });
  });

  afterAll(async () => {
    await database.close();
    await fresh.cleanup();
  });

  async function raise(tx: Tx, state: string): Promise<void> {
    const sql = `DO $$ BEGIN RAISE EXCEPTION 'provoked' USING ERRCODE = '${state}'; END $$`;
    await tx.$executeRawUnsafe(sql);
  }

  test("starts over after a conflict, and keeps nothing of the attempts that failed", async () => {
    let attempts = 0;
    const result = await inTransaction(database.client, async (tx) => {
      attempts += 1;
      await tx.tenant.create({ data: { id: `20000000000${attempts}`, name: "new" } });
      if (attempts < 3) await raise(tx, "40001");
      return "done";
    });
    expect({ result, attempts }).toEqual({ result: "done", attempts: 3 });
    const created = await database.client.tenant.findMany({ where: { name: "new" } });
    expect(created.map(({ id }) => id)).toEqual(["200000000003"]);
  });

  test("gives up in the end, with the conflict as the reason", async () => {
    let attempts = 0;
    const endless = inTransaction(database.client, async (tx) => {
      attempts += 1;
      await raise(tx, "40P01");
    });
    const reason: unknown = await endless.catch((error: unknown) => error);
    expect(storeFailure(reason).kind).toBe("conflict");
    expect(attempts).toBe(5);
  });

  test("runs once and rolls back when the failure is no conflict", async () => {
    let attempts = 0;
    const fault = new Error("a fault of ours");
    const failing = inTransaction(database.client, async (tx) => {
      attempts += 1;
      await tx.tenant.update({ where: { id: first }, data: { name: "after" } });
      throw fault;
    });
    await expect(failing).rejects.toBe(fault);
    expect(attempts).toBe(1);
    const { name } = await database.client.tenant.findUniqueOrThrow({ where: { id: first } });
    expect(name).toBe("before");
  });

  test("serves a burst of callers, each of whom counts", async () => {
    const increment = (tx: Tx) =>
      tx.generation.update({ where: { singleton: true }, data: { value: { increment: 1 } } });
    const { value: before } = await database.client.generation.findFirstOrThrow();
    const burst = Array.from({ length: 60 }, () => inTransaction(database.client, increment));
    const values = (await Promise.all(burst)).map(({ value }) => Number(value - before));
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  // With its single connection PGlite runs one transaction after another: no deadlock is possible.
  const canDeadlock = engine.name === "postgres";
  if (canDeadlock)
    test("resolves a real deadlock", async () => {
      const meet = meetingPoint();
      let attempts = 0;
      const lockBoth = (here: string, there: string) =>
        inTransaction(database.client, async (tx) => {
          attempts += 1;
          await lock(tx, here);
          await meet();
          await lock(tx, there);
          return here;
        });
      const done = await Promise.all([lockBoth(first, second), lockBoth(second, first)]);
      expect(done).toEqual([first, second]);
      expect(attempts).toBeGreaterThan(2);
    });
});

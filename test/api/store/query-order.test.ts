import pg from "pg";
import { expect, test, vi } from "vitest";
import { openDatabase } from "../../../src/store/database/open.js";
import { inTransaction, type Tx } from "../../../src/store/database/transaction.js";
import { databaseEngines } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

/** How many queries each connection has been given at once, at most. */
function watchQueries(): () => number {
  const busy = new WeakMap<pg.Client, number>();
  let most = 0;
  const { query } = pg.Client.prototype;
  const add = (client: pg.Client, change: number) => {
    const count = (busy.get(client) ?? 0) + change;
    busy.set(client, count);
    most = Math.max(most, count);
  };
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    ...parameters: unknown[]
  ) {
    const answer: unknown = Reflect.apply(query, this, parameters);
    if (answer instanceof Promise) {
      add(this, 1);
      const over = () => add(this, -1);
      answer.then(over, over);
    }
    return answer;
  } as typeof query);
  return () => most;
}

test("a connection to PostgreSQL is asked one thing at a time", async () => {
  const most = watchQueries();
  const engine = databaseEngines.find(({ name }) => name === "postgres");
  if (engine === undefined) throw new Error("there is no PostgreSQL engine");
  const fresh = await engine.fresh();
  const database = await openDatabase({ ...fresh, log: recordingLog() });
  try {
    const { client } = database;
    const id = "000000000001";
    const vpcs = { create: { id: "vpc-1", generation: 1n } };
    await client.tenant.create({ data: { id, name: "one", vpcs } });
    const parts = { subnets: true, interfaces: true, tables: true, groups: true, blocks: true };
    const include = { accessKeys: true, vpcs: { include: parts } };
    const read = (tx: Tx) => tx.tenant.findMany({ include });
    const [tenant] = await inTransaction(client, read);
    expect(tenant).toMatchObject({ id, accessKeys: [], vpcs: [{ id: "vpc-1", subnets: [] }] });
    const failed = inTransaction(client, (tx) =>
      Promise.all([read(tx), tx.$queryRaw`SELECT 1 / 0`, read(tx)]),
    );
    await expect(failed).rejects.toThrow("division by zero");
    expect(await client.tenant.count()).toBe(1);
    expect(most()).toBe(1);
  } finally {
    await database.close();
    await fresh.cleanup();
  }
});

import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PrismaClient } from "../../../src/generated/prisma/client.js";
import { storeFailure } from "../../../src/store/database/errors.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { inTransaction } from "../../../src/store/database/transaction.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

const tenantId = "100000000001";

async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => expect.unreachable("it should have failed"),
    (reason: unknown) => reason,
  );
  return storeFailure(error);
}

async function addVpc(client: PrismaClient): Promise<void> {
  await client.tenant.create({ data: { id: tenantId, name: "one" } });
  await client.vpc.create({ data: { id: "vpc-1", tenantId, generation: 0n } });
  await client.vpcCidrBlock.create({
    data: { vpcId: "vpc-1", block: "10.0.0.0/16", primary: true },
  });
  await client.subnet.create({ data: subnet("subnet-1", "10.0.0.0/24") });
}

function subnet(id: string, block: string, vpcId = "vpc-1") {
  return { id, vpcId, block, availabilityZone: "a", generation: 0n };
}

/** Opens a transaction on each connection there is, to keep it until `letGo` is called. */
async function holdConnections(client: PrismaClient, connections: number) {
  let letGo: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const holders: Promise<unknown>[] = [];
  for (let opened = 0; opened < connections; opened += 1) {
    await new Promise<void>((resolve) => {
      const hold = async () => {
        resolve();
        await released;
      };
      holders.push(client.$transaction(hold, { timeout: 20_000 }));
    });
  }
  return { holders, letGo };
}

describe.each(databaseEngines)("what failed, on $name", (engine) => {
  let fresh: FreshDatabase;
  let database: Database;
  let client: PrismaClient;

  beforeAll(async () => {
    fresh = await engine.fresh();
    database = await openDatabase({ ...fresh, log: recordingLog() });
    client = database.client;
    await addVpc(client);
  });

  afterAll(async () => {
    await database.close();
    await fresh.cleanup();
  });

  test("a primary key that is taken", async () => {
    const duplicate = client.tenant.create({ data: { id: tenantId, name: "two" } });
    expect(await failureOf(duplicate)).toEqual({ kind: "unique", constraint: "tenant_pkey" });
  });

  test("a partial unique index", async () => {
    const second = { vpcId: "vpc-1", block: "10.9.0.0/16", primary: true };
    expect(await failureOf(client.vpcCidrBlock.create({ data: second }))).toEqual({
      kind: "unique",
      constraint: "vpc_cidr_block_one_primary",
    });
  });

  test("an exclusion constraint", async () => {
    const overlapping = client.subnet.create({ data: subnet("subnet-2", "10.0.0.128/25") });
    expect(await failureOf(overlapping)).toEqual({
      kind: "exclusion",
      constraint: "subnet_disjoint",
    });
  });

  test("a check", async () => {
    const hostBits = client.subnet.create({ data: subnet("subnet-2", "10.0.1.1/24") });
    expect(await failureOf(hostBits)).toEqual({ kind: "check", constraint: "subnet_canonical" });
  });

  test("a reference to nothing", async () => {
    const orphan = client.subnet.create({ data: subnet("subnet-2", "10.0.1.0/24", "vpc-2") });
    expect(await failureOf(orphan)).toEqual({
      kind: "foreign-key",
      constraint: "subnet_vpc_id_fkey",
    });
  });

  test("a row that others refer to", async () => {
    expect(await failureOf(client.vpc.delete({ where: { id: "vpc-1" } }))).toEqual({
      kind: "foreign-key",
      constraint: "subnet_vpc_id_fkey",
    });
  });

  test.each([
    ["unique", "tenant_pkey", `INSERT INTO tenant (id, name) VALUES ('${tenantId}', 'x')`],
    ["check", "tenant_id_format", "INSERT INTO tenant (id, name) VALUES ('1', 'x')"],
    [
      "exclusion",
      "vpc_cidr_block_disjoint",
      "INSERT INTO vpc_cidr_block VALUES ('vpc-1', '10.0.1.0/24', false)",
    ],
    [
      "foreign-key",
      "vpc_tenant_id_fkey",
      "INSERT INTO vpc (id, tenant_id, generation) VALUES ('vpc-9', 'nobody', 0)",
    ],
  ])("raw SQL: %s", async (kind, constraint, sql) => {
    expect(await failureOf(client.$executeRawUnsafe(sql))).toEqual({ kind, constraint });
    expect(await failureOf(client.$queryRawUnsafe(sql))).toEqual({ kind, constraint });
    const within = inTransaction(client, (tx) => tx.$executeRawUnsafe(sql));
    expect(await failureOf(within)).toEqual({ kind, constraint });
  });

  test.each([
    ["40001", "conflict"],
    ["40P01", "conflict"],
    ["53100", "unavailable"],
    ["57P01", "unavailable"],
    ["22012", "other"],
  ])("SQLSTATE %s raised by the engine: %s", async (state, kind) => {
    const raise = `DO $$ BEGIN RAISE EXCEPTION 'provoked' USING ERRCODE = '${state}'; END $$`;
    expect(await failureOf(client.$executeRawUnsafe(raise))).toEqual({ kind });
  });

  test("a constraint that is checked at commit", async () => {
    await client.$executeRawUnsafe("CREATE TABLE deferred (id int PRIMARY KEY)");
    await client.$executeRawUnsafe(`CREATE TABLE deferring (id int CONSTRAINT deferring_id
      REFERENCES deferred DEFERRABLE INITIALLY DEFERRED)`);
    const insert = () =>
      inTransaction(client, (tx) => tx.$executeRawUnsafe("INSERT INTO deferring VALUES (1)"));
    expect(await failureOf(insert())).toEqual({ kind: "foreign-key", constraint: "deferring_id" });
    await client.$executeRawUnsafe("INSERT INTO deferred VALUES (1)");
    await insert();
    expect(await client.$queryRawUnsafe("SELECT id FROM deferring")).toEqual([{ id: 1 }]);
  });

  test("a transaction that takes too long", async () => {
    const endless = client.$transaction(
      async (tx) => {
        for (;;) {
          await tx.tenant.count();
          await setImmediate();
        }
      },
      { timeout: 50 },
    );
    expect(await failureOf(endless)).toEqual({ kind: "unavailable" });
    expect(await client.tenant.count()).toBe(1);
  });

  test("a transaction that waits too long for a connection", async () => {
    const connections = engine.name === "pglite" ? 1 : 10;
    const { holders, letGo } = await holdConnections(client, connections);
    const waiting = client.$transaction(async () => undefined, { maxWait: 50 });
    expect(await failureOf(waiting)).toEqual({ kind: "unavailable" });
    letGo();
    await Promise.all(holders);
    expect(await client.$transaction((tx) => tx.tenant.count())).toBe(1);
  });

  test("nothing wrong with the database", () => {
    expect(storeFailure(new Error("a fault of ours"))).toEqual({ kind: "other" });
    expect(storeFailure(undefined)).toEqual({ kind: "other" });
  });
});

describe.each(databaseEngines)("a closed $name", (engine) => {
  test("is unavailable", async () => {
    const fresh = await engine.fresh();
    const database = await openDatabase({ ...fresh, log: recordingLog() });
    await database.close();
    const { client } = database;
    const count = () => inTransaction(client, (tx) => tx.tenant.count());
    expect(await failureOf(client.tenant.count())).toEqual({ kind: "unavailable" });
    expect(await failureOf(client.$queryRaw`SELECT 1`)).toEqual({ kind: "unavailable" });
    expect(await failureOf(count())).toEqual({ kind: "unavailable" });
    expect(await failureOf(database.ping())).toEqual({ kind: "unavailable" });
    await fresh.cleanup();
  });
});

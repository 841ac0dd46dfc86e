import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../../../src/domain/principal.js";
import { authenticate } from "../../../src/services/authentication.js";
import { addCidrBlock } from "../../../src/services/cidr-blocks.js";
import { createTenant } from "../../../src/services/tenants.js";
import { getPeering, requestPeering } from "../../../src/services/vpc-peerings.js";
import { createVpc, deleteVpc } from "../../../src/services/vpcs.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { waitFor } from "../../support/rest.js";

const BLOCKED_LIMIT_MS = 10_000;

/** Embedded, transactions run one at a time: nobody ever waits for another's lock. */
const served = databaseEngines.filter(({ name }) => name === "postgres");

describe.each(served)("the order of locks, on $name", (engine) => {
  let api: TestApi;
  let one: Principal;
  let two: Principal;

  beforeAll(async () => {
    api = await startTestApi(engine);
    [one, two] = [await admin(), await admin()];
  });
  afterAll(() => api.stop());

  async function admin(): Promise<Principal> {
    return authenticate(api.context, (await api.createTenantWithKey("admin")).token);
  }

  /** Holds up every writer until `work` returns: each stops where it wants a generation. */
  async function withoutGenerations<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return api.context.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT 1 FROM "generation" FOR UPDATE`;
        return work(tx);
      },
      { timeout: 2 * BLOCKED_LIMIT_MS },
    );
  }

  async function untilBlocked(count: number): Promise<void> {
    const blocked = async () => {
      const [row] = await api.context.db.$queryRaw<Array<{ blocked: number }>>`
        SELECT count(*)::int AS "blocked" FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (row?.blocked ?? 0) >= count;
    };
    await waitFor(blocked, BLOCKED_LIMIT_MS, `${count} writers that wait`);
  }

  /** A writer that PostgreSQL ends for a deadlock starts over: only this tells. */
  async function deadlocks(): Promise<number> {
    const [row] = await api.context.db.$queryRaw<Array<{ deadlocks: number }>>`
      SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`;
    return row?.deadlocks ?? 0;
  }

  it("lets a VPC grow while the one that it has asked is deleted", async () => {
    const before = await deadlocks();
    const a = await createVpc(api.context, one, { cidrBlock: "10.0.0.0/16" });
    const b = await createVpc(api.context, two, { cidrBlock: "10.1.0.0/16" });
    const ends = { requesterVpcId: a.id, accepterVpcId: b.id, accepterTenantId: b.tenantId };
    const { peering } = await requestPeering(api.context, one, ends);
    const work = await withoutGenerations(async () => {
      const growing = addCidrBlock(api.context, one, a.id, { cidrBlock: "10.2.0.0/16" });
      await untilBlocked(1);
      const leaving = deleteVpc(api.context, two, b.id);
      await untilBlocked(2);
      return { growing, leaving };
    });
    await Promise.all([work.growing, work.leaving]);
    expect((await getPeering(api.context, one, peering.id)).state).toBe("failed");
    expect(await deadlocks()).toBe(before);
  });

  it("numbers tenants in the order in which they appear", async () => {
    const operator = await authenticate(api.context, api.operatorToken);
    const { db } = api.context;
    const { later } = await withoutGenerations(async (tx) => {
      const waiting = createTenant(api.context, operator, { name: "later" });
      await untilBlocked(1);
      await tx.tenant.create({ data: { id: "000000000007", name: "earlier" } });
      return { later: waiting };
    });
    const earlier = await db.tenant.findUniqueOrThrow({ where: { id: "000000000007" } });
    expect((await later).number).toBeGreaterThan(earlier.number);
  });
});

type Tx = Parameters<Parameters<TestApi["context"]["db"]["$transaction"]>[0]>[0];

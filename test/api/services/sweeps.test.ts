import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Principal } from "../../../src/domain/principal.js";
import { authenticate } from "../../../src/services/authentication.js";
import {
  expireRequests,
  failDoomedRequests,
  forgetHiddenPeerings,
} from "../../../src/services/peering-sweeps.js";
import { Setbacks } from "../../../src/services/setbacks.js";
import { acceptPeering, getPeering, requestPeering } from "../../../src/services/vpc-peerings.js";
import { createVpc } from "../../../src/services/vpcs.js";
import {
  PEERING_EXPIRY_SECONDS,
  startTestApi,
  type TenantKey,
  type TestApi,
} from "../../support/api.js";
import { TestClock } from "../../support/clock.js";
import { databaseEngines } from "../../support/databases.js";

const DAY_MS = 24 * 3_600_000;

describe.each(databaseEngines)("a row that always fails, on $name", (engine) => {
  const clock = new TestClock();
  let api: TestApi;
  let one: Principal;
  let two: Principal;
  let told: Array<{ id?: string }> = [];

  beforeAll(async () => {
    api = await startTestApi(engine, { clock: clock.read, sweeping: false });
    const { db } = api.context;
    await db.$executeRaw`CREATE TABLE "poison" ("id" text PRIMARY KEY)`;
    await db.$executeRaw`
      CREATE FUNCTION "refuse_poison"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT 1 FROM "poison" WHERE "id" = OLD."id") THEN
          RAISE EXCEPTION 'poison';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
      END $$`;
    await db.$executeRaw`
      CREATE TRIGGER "poison" BEFORE UPDATE OR DELETE ON "vpc_peering"
      FOR EACH ROW EXECUTE FUNCTION "refuse_poison"()`;
    one = await tenant();
    two = await tenant();
  });
  afterAll(() => api.stop());
  afterEach(async () => {
    await api.context.db.$executeRaw`DELETE FROM "poison"`;
    told = [];
  });

  async function tenant(): Promise<Principal> {
    return authenticate(api.context, (await api.createTenantWithKey("admin")).token);
  }

  async function vpc(owner: Principal, cidrBlock: string): Promise<string> {
    return (await createVpc(api.context, owner, { cidrBlock })).id;
  }

  async function requests(count: number, block = "10.2.0.0/16"): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const { peering } = await requestPeering(api.context, one, {
        requesterVpcId: await vpc(one, "10.1.0.0/16"),
        accepterVpcId: await vpc(two, block),
        accepterTenantId: two.tenantId ?? "",
      });
      ids.push(peering.id);
    }
    return ids;
  }

  async function poison(...ids: string[]): Promise<void> {
    for (const id of ids) await api.context.db.$executeRaw`INSERT INTO "poison" VALUES (${id})`;
  }

  const setbacks = () => new Setbacks({ warn: (details) => void told.push(details) });
  const stateOf = async (id: string) => (await getPeering(api.context, one, id)).state;
  const statesOf = async (ids: string[]) => {
    const states: string[] = [];
    for (const id of ids) states.push(await stateOf(id));
    return states;
  };

  it("keeps no doomed request behind it from failing, whatever is looked at at once", async () => {
    const ids = await requests(4, "10.1.0.0/16");
    const [first = "", second = ""] = ids;
    await poison(first, second);
    await expect(failDoomedRequests(api.context)).rejects.toThrow("poison");
    await failDoomedRequests(api.context, setbacks(), 2);
    expect(await statesOf(ids)).toEqual([
      ...["pending-acceptance", "pending-acceptance"],
      ...["failed", "failed"],
    ]);
    expect(told.map(({ id }) => id)).toEqual([first, second]);
    await api.context.db.$executeRaw`DELETE FROM "poison"`;
    await failDoomedRequests(api.context, setbacks(), 2);
    expect(await statesOf([first, second])).toEqual(["failed", "failed"]);
  });

  it("keeps no request behind it from expiring, and no other from being forgotten", async () => {
    const ids = await requests(3);
    const [first = ""] = ids;
    clock.advance(PEERING_EXPIRY_SECONDS * 1000);
    await poison(first);
    await expireRequests(api.context, setbacks(), 1);
    expect(await statesOf(ids)).toEqual(["pending-acceptance", "expired", "expired"]);
    await api.context.db.$executeRaw`DELETE FROM "poison"`;
    await expireRequests(api.context);
    clock.advance(3 * DAY_MS);
    await poison(first);
    told = [];
    await forgetHiddenPeerings(api.context, setbacks(), 2);
    const left = await api.context.db.vpcPeering.findMany({ where: { id: { in: ids } } });
    expect(left.map(({ id }) => id)).toEqual([first]);
    expect(told).toMatchObject([{ id: first }]);
  });

  it("is written back in the end, and the others at once", async () => {
    const ids = await requests(3);
    const [bad = "", ...good] = ids;
    const { db } = api.context;
    // It fails from the moment on at which the switch has confirmed it.
    await db.$executeRaw`
      CREATE FUNCTION "refuse_active"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW."state" = 'active' AND EXISTS (SELECT 1 FROM "poison" WHERE "id" = '!' || NEW."id") THEN
          RAISE EXCEPTION 'poison';
        END IF;
        RETURN NEW;
      END $$`;
    await db.$executeRaw`
      CREATE TRIGGER "active" BEFORE UPDATE ON "vpc_peering"
      FOR EACH ROW EXECUTE FUNCTION "refuse_active"()`;
    await poison(`!${bad}`);
    const asleep = vi.spyOn(api.context.waker, "wake").mockImplementation(() => {});
    for (const id of ids) await acceptPeering(api.context, two, id, {}, 0);
    const vpcIds = asleep.mock.calls.flatMap(([woken]) => [...woken]);
    asleep.mockRestore();
    api.context.waker.wake(vpcIds);
    for (const id of good) await expect.poll(() => stateOf(id), { timeout: 30_000 }).toBe("active");
    expect(await stateOf(bad)).toBe("provisioning");
    await db.$executeRaw`DELETE FROM "poison"`;
    await expect.poll(() => stateOf(bad), { timeout: 30_000 }).toBe("active");
  });
});

describe("a row that somebody holds, on PostgreSQL", () => {
  const clock = new TestClock();
  let api: TestApi;
  let databaseUrl: string | undefined;
  let one: TenantKey;

  beforeAll(async () => {
    const engine = databaseEngines.find(({ name }) => name === "postgres");
    const fresh = await engine?.fresh();
    if (fresh === undefined) throw new Error("there is no PostgreSQL engine");
    ({ databaseUrl } = fresh);
    const own = { name: "postgres", fresh: async () => fresh } as const;
    api = await startTestApi(own, { clock: clock.read, sweeping: false });
    one = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  /** While a transaction of somebody else holds these rows. */
  async function whileHeld<T>(rows: string, work: () => Promise<T>): Promise<T> {
    const other = new pg.Client({ connectionString: databaseUrl });
    await other.connect();
    try {
      await other.query(`BEGIN; SELECT 1 FROM ${rows} FOR UPDATE`);
      return await work();
    } finally {
      await other.end();
    }
  }

  async function accepted(n: number): Promise<{ id: string; ends: string[] }> {
    const vpc = (at: number) => api.createVpc(one.token, `10.${at}.0.0/16`);
    const ends = [await vpc(2 * n), await vpc(2 * n + 1)];
    const [requesterVpcId, accepterVpcId] = ends;
    const body = { requesterVpcId, accepterVpcId };
    const { id } = (await api.call(one.token, "POST", "/v1/vpc-peerings", body)).body;
    return { id, ends };
  }

  it("keeps no other peering from being written back, and none that has ended", async () => {
    const [held, free] = [await accepted(1), await accepted(2)];
    const { db, waker } = api.context;
    const asleep = vi.spyOn(waker, "wake").mockImplementation(() => {});
    const accept = ({ id }: { id: string }) =>
      api.call(one.token, "POST", `/v1/vpc-peerings/${id}/accept`);
    for (const peering of [held, free]) expect((await accept(peering)).status).toBe(200);
    asleep.mockRestore();
    const stateOf = async ({ id }: { id: string }) =>
      (await db.vpcPeering.findUniqueOrThrow({ where: { id } })).state;
    await whileHeld(`vpc WHERE id = '${held.ends[0]}'`, async () => {
      waker.wake([...held.ends, ...free.ends]);
      await expect.poll(() => stateOf(free), { timeout: 30_000 }).toBe("active");
      expect(await stateOf(held)).toBe("provisioning");
    });
    await expect.poll(() => stateOf(held), { timeout: 30_000 }).toBe("active");
    for (const { id } of [held, free]) {
      const path = `/v1/vpc-peerings/${id}?wait=10`;
      expect((await api.call(one.token, "DELETE", path)).status).toBeLessThan(300);
    }
    clock.advance(3 * DAY_MS);
    await whileHeld(`vpc_peering WHERE id = '${held.id}'`, () => forgetHiddenPeerings(api.context));
    const left = async () => (await db.vpcPeering.findMany()).map(({ id }) => id);
    expect(await left()).toEqual([held.id]);
    await forgetHiddenPeerings(api.context);
    expect(await left()).toEqual([]);
  });
});

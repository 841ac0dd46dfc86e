import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  expireRequests,
  failDoomedRequests,
  forgetHiddenPeerings,
} from "../../../src/services/peering-sweeps.js";
import {
  type Answer,
  PEERING_EXPIRY_SECONDS,
  startTestApi,
  type TenantKey,
  type TestApi,
} from "../../support/api.js";
import { TestClock } from "../../support/clock.js";
import { databaseEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, Scene } from "../../support/scene.js";

const HOUR_MS = 3_600_000;
const PER_HOUR = 3;
const NOTHING = "vpc-00000000000000000";
const NOBODY = "000000000000";
const UNKNOWN = { status: 404, code: "InvalidVpcPeeringConnectionID.NotFound" };
const FLOOD = { status: 409, code: "PendingVpcPeeringConnectionLimitExceeded" };

describe.each(databaseEngines)("requests between tenants, on $name", (engine) => {
  const clock = new TestClock();
  let api: TestApi;
  let scene: Scene;
  let red: TenantKey;
  let blue: TenantKey;

  beforeAll(async () => {
    const quotas = { requestsPerHourToTenant: PER_HOUR };
    api = await startTestApi(engine, { clock: clock.read, quotas, sweeping: false });
    scene = new Scene(api);
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    red = await api.createTenantWithKey("admin");
    blue = await api.createTenantWithKey("admin");
  });

  const ask = (from: Owned, accepterVpcId: string, accepterTenantId: string): Promise<Answer> =>
    scene.call(from.key, "POST", "/vpc-peerings", {
      requesterVpcId: from.vpcId,
      accepterVpcId,
      accepterTenantId,
    });
  const askFor = (from: Owned, { vpcId, key }: Owned) => ask(from, vpcId, key.tenantId);

  async function pair(): Promise<[Owned, Owned]> {
    return [await scene.vpc(red, "10.1.0.0/16"), await scene.vpc(blue, "10.2.0.0/16")];
  }

  async function listed(key: TenantKey, query = ""): Promise<string[]> {
    const { items } = await scene.must(200, key, "GET", `/vpc-peerings?limit=1000${query}`);
    return items.map(({ id }: { id: string }) => id);
  }

  async function eventsOf(key: TenantKey, id: string): Promise<string[]> {
    const { items } = await scene.must(200, key, "GET", "/events?limit=1000");
    type Seen = { resource: { id: string }; action: string };
    return items.filter((e: Seen) => e.resource.id === id).map((e: Seen) => e.action);
  }

  describe("what is withdrawn", () => {
    test.each([
      ["by its sender", (a: Owned, id: string) => scene.end(a, id)],
      [
        "with its sender's VPC",
        ({ key, vpcId }: Owned) => scene.must(204, key, "DELETE", `/vpcs/${vpcId}`),
      ],
    ])("%s vanishes for its receiver, but for the events", async (_how, withdraw) => {
      const [a, b] = await pair();
      const id = await scene.request(a, b);
      expect(await listed(blue)).toEqual([id]);
      await withdraw(a, id);
      for (const query of ["", "&state=deleted", `&vpcId=${b.vpcId}`, "&role=accepter"]) {
        expect(await listed(blue, query)).toEqual([]);
      }
      const path = `/vpc-peerings/${id}`;
      const options = { allowDnsResolutionFromRemoteVpc: true };
      for (const answer of [
        await scene.call(blue, "GET", path),
        await scene.call(blue, "GET", `${path}/flows`),
        await scene.call(blue, "PATCH", `${path}/options`, options),
        await scene.call(blue, "POST", `${path}/reject`),
        await scene.call(blue, "DELETE", path),
        await scene.accept(b, id),
        await scene.addRoute(b, await scene.mainTable(b), "10.1.0.0/16", id),
      ]) {
        expectRefusal(answer, UNKNOWN);
      }
      for (const key of [red, blue]) expect(await eventsOf(key, id)).toEqual(["request", "delete"]);
      expect(await listed(red)).toEqual([id]);
      clock.advance(2 * HOUR_MS);
      expect(await listed(red)).toEqual([]);
    });

    test("within one tenant is seen by it, in both roles", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const id = await scene.request(a, await scene.vpc(red, "10.2.0.0/16"));
      await scene.end(a, id);
      for (const role of ["requester", "accepter"]) {
        expect(await listed(red, `&role=${role}`)).toEqual([id]);
      }
    });

    test("and was accepted before is still seen by the other side", async () => {
      const [a, b] = await pair();
      const id = await scene.peer(a, b);
      await scene.end(a, id);
      expect(await listed(blue)).toEqual([id]);
    });
  });

  describe("to one tenant within an hour", () => {
    /** Ways for a request to be over, the receiver's help included. */
    const ends: Record<string, (a: Owned, b: Owned) => Promise<void>> = {
      withdrawn: async (a, b) => scene.end(a, await scene.request(a, b)),
      rejected: async (a, b) => {
        const id = await scene.request(a, b);
        await scene.must(200, b.key, "POST", `/vpc-peerings/${id}/reject`);
      },
      accepted: async (a, b) => scene.end(a, await scene.peer(a, b)),
      "one that failed": async (a, b) => {
        expect((await ask(a, NOTHING, b.key.tenantId)).status).toBe(201);
        await failDoomedRequests(api.context);
      },
      pending: async (a, b) => {
        await scene.request(a, b);
      },
    };

    test("count whatever became of them, and no longer afterwards", async () => {
      const [a, b] = await pair();
      for (const end of ["withdrawn", "one that failed", "rejected"]) await ends[end]?.(a, b);
      await forgetHiddenPeerings(api.context);
      const refused = await askFor(a, b);
      expectRefusal(refused, { ...FLOOD, detail: /3 peering requests .* one other .* hour/ });
      expect(refused.headers["retry-after"]).toBe("3600");
      clock.advance(HOUR_MS - 1500);
      expect((await askFor(a, b)).headers["retry-after"]).toBe("2");
      clock.advance(1500);
      for (const end of ["accepted", "withdrawn", "pending"]) await ends[end]?.(a, b);
      const other = await scene.vpc(blue, "10.4.0.0/16");
      expectRefusal(await askFor(a, other), FLOOD);
      // The one that is there is still the answer.
      expect((await askFor(a, b)).status).toBe(200);
    });

    test("count when they have expired, and bound nobody else", async () => {
      const [a, b] = await pair();
      clock.advance(-PEERING_EXPIRY_SECONDS * 1000);
      const old = await scene.request(a, b);
      clock.advance(PEERING_EXPIRY_SECONDS * 1000 - HOUR_MS / 2);
      await api.context.db.vpcPeering.update({
        where: { id: old },
        data: { createdAt: clock.read(), expiresAt: clock.read() },
      });
      await expireRequests(api.context);
      expect(await scene.stateOf(a, old)).toBe("expired");
      clock.advance(HOUR_MS / 2);
      for (const end of ["withdrawn", "withdrawn"]) await ends[end]?.(a, b);
      expectRefusal(await askFor(a, b), FLOOD);
      const green = await api.createTenantWithKey("admin");
      const c = await scene.vpc(green, "10.3.0.0/16");
      await scene.request(a, c);
      await scene.request(c, b);
      await scene.request(b, a);
    });

    test("are refused alike, whether there is such a tenant or not", async () => {
      const [a, b] = await pair();
      const answers: unknown[] = [];
      for (const [vpcId, tenantId] of [
        [b.vpcId, blue.tenantId],
        [NOTHING, NOBODY],
      ] as const) {
        const statuses: number[] = [];
        for (let n = 0; n < PER_HOUR; n += 1) {
          const { status, body } = await ask(a, vpcId, tenantId);
          statuses.push(status);
          if (tenantId === NOBODY) await failDoomedRequests(api.context);
          else await scene.end(a, body.id);
        }
        const { status, body, headers } = await ask(a, vpcId, tenantId);
        answers.push([statuses, status, body.code, body.detail, headers["retry-after"]]);
      }
      const refusal = [409, FLOOD.code, expect.any(String), "3600"];
      expect(answers[0]).toEqual([Array(PER_HOUR).fill(201), ...refusal]);
      expect(answers[1]).toEqual(answers[0]);
    });

    test("are not bounded within a tenant", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(red, "10.2.0.0/16");
      for (let n = 0; n <= PER_HOUR; n += 1) await scene.end(a, await scene.request(a, b));
      expect(await listed(red)).toHaveLength(PER_HOUR + 1);
    });

    test("are as many as may be when more are sent at once", async () => {
      const from = await Promise.all([1, 2, 3, 4, 5].map((n) => scene.vpc(red, `10.1${n}.0.0/16`)));
      const b = await scene.vpc(blue, "10.2.0.0/16");
      const answers = await Promise.all(from.map((a) => askFor(a, b)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, 201, 201, 409, 409]);
    });

    test("are counted without looking at other tenants' or older ones", async () => {
      await api.context.db.$executeRaw`
        INSERT INTO "vpc_peering" ("id", "state", "status_message", "generation", "expires_at",
          "requester_tenant_id", "requester_vpc_id", "accepter_tenant_id", "accepter_vpc_id")
        SELECT 'pcx-' || n, 'rejected', '', 1, now(),
          CASE n % 2 WHEN 0 THEN ${red.tenantId} ELSE ${blue.tenantId} END, 'a' || n,
          CASE n % 3 WHEN 0 THEN ${red.tenantId} ELSE ${NOBODY} END, 'b' || n
        FROM generate_series(1, 3000) n`;
      await api.context.db.$executeRaw`ANALYZE "vpc_peering"`;
      const plan = await api.context.db.$queryRaw<Array<Record<string, string>>>`
        EXPLAIN SELECT "created_at" FROM "vpc_peering"
        WHERE "requester_tenant_id" = ${red.tenantId} AND "accepter_tenant_id" = ${NOBODY}
          AND "created_at" > ${clock.read()}::timestamptz
        ORDER BY "created_at" DESC LIMIT 1 OFFSET 59`;
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
      expect(text).toContain("vpc_peering_sent");
      expect(text).not.toContain("Seq Scan");
      await api.context.db.$executeRaw`DELETE FROM "vpc_peering" WHERE "state" = 'rejected'`;
    });
  });

  describe("after one that has ended", () => {
    test("can be sent again, however it ended", async () => {
      for (const end of ["rejected", "expired", "failed"]) {
        clock.advance(HOUR_MS);
        const [a, b] = await pair();
        const id = await scene.request(a, b);
        if (end === "rejected") await scene.must(200, blue, "POST", `/vpc-peerings/${id}/reject`);
        if (end === "expired") clock.advance(PEERING_EXPIRY_SECONDS * 1000);
        if (end === "failed") await scene.must(204, blue, "DELETE", `/vpcs/${b.vpcId}`);
        const next = end === "failed" ? await scene.vpc(blue, "10.2.0.0/16") : b;
        expect(await scene.request(a, next)).not.toBe(id);
        expect(await scene.stateOf(a, id)).toBe(end);
      }
    });

    afterEach(() => clock.advance(HOUR_MS));
  });
});

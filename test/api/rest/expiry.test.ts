import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  expireRequests,
  failDoomedRequests,
  forgetHiddenPeerings,
} from "../../../src/services/peering-sweeps.js";
import {
  PEERING_EXPIRY_SECONDS,
  startTestApi,
  type TenantKey,
  type TestApi,
} from "../../support/api.js";
import { TestClock } from "../../support/clock.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, Scene } from "../../support/scene.js";

const EXPIRY_MS = PEERING_EXPIRY_SECONDS * 1000;
const HOUR_MS = 3_600_000;

describe.each(answerEngines)("what time does to peerings, on $name", (engine) => {
  const clock = new TestClock();
  let api: TestApi;
  let scene: Scene;
  let red: TenantKey;
  let blue: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine, { clock: clock.read, sweeping: false });
    scene = new Scene(api);
    red = await api.createTenantWithKey("admin");
    blue = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  async function asked(): Promise<{ a: Owned; b: Owned; id: string }> {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const b = await scene.vpc(blue, "10.2.0.0/16");
    return { a, b, id: await scene.request(a, b) };
  }

  const show = (key: TenantKey, id: string) => scene.call(key, "GET", `/vpc-peerings/${id}`);

  async function isSeen(key: TenantKey, id: string): Promise<boolean> {
    const { status } = await show(key, id);
    const { items } = await scene.must(200, key, "GET", "/vpc-peerings?limit=1000");
    const listed = items.some((item: { id: string }) => item.id === id);
    expect(listed, `listed, though GET answered ${status}`).toBe(status === 200);
    return listed;
  }

  describe("a request that nobody answers", () => {
    test("expires for both when its time is up, and not before", async () => {
      const { a, b, id } = await asked();
      const due = new Date(clock.read().getTime() + EXPIRY_MS).toISOString();
      expect((await show(red, id)).body.expiresAt).toBe(due);
      clock.advance(EXPIRY_MS - 1);
      await expireRequests(api.context);
      expect(await scene.stateOf(b, id)).toBe("pending-acceptance");
      clock.advance(1);
      await expireRequests(api.context);
      for (const side of [a, b]) expect(await scene.stateOf(side, id)).toBe("expired");
      const { body } = await show(red, id);
      expect(body).toMatchObject({ expiresAt: null, statusMessage: "Nobody answered in time" });
      for (const [by, action] of [
        [b, "accept"],
        [b, "reject"],
      ] as const) {
        const late = await scene.call(by.key, "POST", `/vpc-peerings/${id}/${action}`);
        expectRefusal(late, {
          status: 409,
          code: "InvalidStateTransition",
          detail: "attempted to transition from expired to",
        });
      }
      const late = await scene.call(red, "DELETE", `/vpc-peerings/${id}`);
      expectRefusal(late, { status: 409, code: "InvalidStateTransition" });
      expect(await scene.request(a, b)).not.toBe(id);
    });

    test("is an event of both sides, by the system", async () => {
      const { id } = await asked();
      clock.advance(EXPIRY_MS);
      await expireRequests(api.context);
      await expireRequests(api.context);
      for (const key of [red, blue]) {
        const { items } = await scene.must(200, key, "GET", "/events?limit=1000");
        const own = items.filter((event: { resource: { id: string } }) => event.resource.id === id);
        expect(own).toMatchObject([
          { action: "request", before: null, after: "pending-acceptance" },
          {
            action: "expire",
            before: "pending-acceptance",
            after: "expired",
            actor: { kind: "system" },
          },
        ]);
      }
    });

    test("cannot be accepted once its time is up, even before a sweep has come by", async () => {
      const { a, b, id } = await asked();
      clock.advance(EXPIRY_MS);
      expect(await scene.stateOf(b, id)).toBe("pending-acceptance");
      const late = await scene.accept(b, id);
      expectRefusal(late, {
        status: 409,
        code: "InvalidStateTransition",
        detail: "attempted to transition from expired to active",
      });
      expect(await scene.stateOf(a, id)).toBe("expired");
      expect(await scene.routes(a)).toEqual([]);
    });

    test("does not stand in the way of a new one, in either direction, before a sweep", async () => {
      for (const turned of [false, true]) {
        const { a, b, id } = await asked();
        clock.advance(EXPIRY_MS);
        const [from, to] = turned ? [b, a] : [a, b];
        const next = await scene.request(from, to);
        expect(next).not.toBe(id);
        expect(await scene.stateOf(a, id)).toBe("expired");
        expect((await scene.accept(to, next)).body.state).toBe("active");
      }
    });

    test("can be accepted until then", async () => {
      const { b, id } = await asked();
      clock.advance(EXPIRY_MS - 1);
      expect((await scene.accept(b, id)).body.state).toBe("active");
      clock.advance(EXPIRY_MS);
      await expireRequests(api.context);
      expect(await scene.stateOf(b, id)).toBe("active");
    });
  });

  describe("a peering that has ended is seen for a while", () => {
    interface Ended {
      readonly id: string;
      readonly a: Owned;
      readonly b: Owned;
    }

    async function rejected(): Promise<Ended> {
      const ends = await asked();
      await scene.must(200, blue, "POST", `/vpc-peerings/${ends.id}/reject`);
      return ends;
    }
    async function expired(): Promise<Ended> {
      const ends = await asked();
      clock.advance(EXPIRY_MS);
      await expireRequests(api.context);
      return ends;
    }
    async function failed(): Promise<Ended> {
      const ends = await asked();
      await scene.must(204, blue, "DELETE", `/vpcs/${ends.b.vpcId}`);
      return ends;
    }
    async function withdrawn(): Promise<Ended> {
      const ends = await asked();
      await scene.end(ends.a, ends.id);
      return ends;
    }
    async function withdrawnWithVpc(): Promise<Ended> {
      const ends = await asked();
      await scene.must(204, red, "DELETE", `/vpcs/${ends.a.vpcId}`);
      return ends;
    }
    async function deletedBy(side: "a" | "b"): Promise<Ended> {
      const ends = await asked();
      expect((await scene.accept(ends.b, ends.id)).body.state).toBe("active");
      clock.advance(HOUR_MS);
      await scene.end(ends[side], ends.id);
      return ends;
    }

    test.each<[string, () => Promise<Ended>, string, number, number]>([
      ["rejected", rejected, "rejected", 48, 2],
      ["expired", expired, "expired", 48, 48],
      ["failed", failed, "failed", 2, 2],
      ["withdrawn by the requester", withdrawn, "deleted", 2, 0],
      ["withdrawn with the requester's VPC", withdrawnWithVpc, "deleted", 2, 0],
      ["deleted by the requester", () => deletedBy("a"), "deleted", 2, 48],
      ["deleted by the accepter", () => deletedBy("b"), "deleted", 48, 2],
    ])("%s", async (_how, end, state, requesterHours, accepterHours) => {
      const { id, a } = await end();
      expect(await scene.stateOf(a, id)).toBe(state);
      const started = clock.read().getTime();
      const at = (ms: number) => clock.advance(started + ms - clock.read().getTime());
      for (const hours of [...new Set([requesterHours, accepterHours])].sort((x, y) => x - y)) {
        for (const ms of hours === 0 ? [0] : [hours * HOUR_MS - 1, hours * HOUR_MS]) {
          at(ms);
          await forgetHiddenPeerings(api.context);
          expect(await isSeen(red, id)).toBe(ms < requesterHours * HOUR_MS);
          expect(await isSeen(blue, id)).toBe(ms < accepterHours * HOUR_MS);
          const isLeft = ms < Math.max(requesterHours, accepterHours) * HOUR_MS;
          expect(await api.context.db.vpcPeering.count({ where: { id } })).toBe(isLeft ? 1 : 0);
          expect((await api.call(api.operatorToken, "GET", `/v1/vpc-peerings/${id}`)).status).toBe(
            isLeft ? 200 : 404,
          );
        }
      }
    });

    test("a request that could not succeed, by its requester alone", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.1.0.0/20");
      const id = await scene.request(a, b);
      await failDoomedRequests(api.context);
      expect(await scene.stateOf(a, id)).toBe("failed");
      clock.advance(2 * HOUR_MS - 1);
      expect([await isSeen(red, id), await isSeen(blue, id)]).toEqual([true, false]);
      clock.advance(1);
      expect([await isSeen(red, id), await isSeen(blue, id)]).toEqual([false, false]);
    });

    test("who no longer sees it cannot touch it either", async () => {
      const { id, b } = await rejected();
      clock.advance(2 * HOUR_MS);
      const path = `/vpc-peerings/${id}`;
      const options = { allowDnsResolutionFromRemoteVpc: true };
      for (const answer of [
        await scene.accept(b, id),
        await scene.call(blue, "PATCH", `${path}/options`, options),
        await scene.call(blue, "GET", `${path}/flows`),
        await scene.addRoute(b, await scene.mainTable(b), "10.1.0.0/16", id),
      ]) {
        expectRefusal(answer, { status: 404, code: "InvalidVpcPeeringConnectionID.NotFound" });
      }
      expect((await show(red, id)).status).toBe(200);
    });

    test("live and pending ones stay, however long", async () => {
      const { b, id } = await asked();
      await scene.accept(b, id);
      clock.advance(1000 * 24 * HOUR_MS);
      const { id: pending } = await asked();
      await forgetHiddenPeerings(api.context);
      expect([await isSeen(red, id), await isSeen(blue, pending)]).toEqual([true, true]);
    });
  });
});

describe.each(answerEngines)("the sweeps, on $name", (engine) => {
  test("run by themselves at least every 5 seconds", async () => {
    const clock = new TestClock();
    const api = await startTestApi(engine, { clock: clock.read });
    try {
      const scene = new Scene(api);
      const [red, blue] = [
        await api.createTenantWithKey("admin"),
        await api.createTenantWithKey("admin"),
      ];
      const a = await scene.vpc(red, "10.1.0.0/16");
      const id = await scene.request(a, await scene.vpc(blue, "10.2.0.0/16"));
      clock.advance(EXPIRY_MS);
      const limit = { timeout: 6000, interval: 50 };
      await expect.poll(() => scene.stateOf(a, id), limit).toBe("expired");
      clock.advance(48 * HOUR_MS);
      const rows = () => api.context.db.vpcPeering.count({ where: { id } });
      await expect.poll(rows, limit).toBe(0);
    } finally {
      await api.stop();
    }
  });
});

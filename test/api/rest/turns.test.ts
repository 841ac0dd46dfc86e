import { type ClientRequest, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { waitFor } from "../../support/rest.js";
import { type CallCounts, countTurns, untilTurns } from "../../support/turns.js";

const LIMIT_MS = 20_000;
const MOST_WAITING = 20;

/** Embedded, nobody can hold up a call that has its place and nobody else. */
const served = databaseEngines.filter(({ name }) => name === "postgres");

describe.each(served)("turns at the only place, on $name", (engine) => {
  let api: TestApi;
  let one: TenantKey;
  let two: TenantKey;
  let vpcId: string;
  let answerDrops: (() => void) | undefined;

  beforeAll(async () => {
    const dropsOf = async () => {
      await new Promise<void>((resolve) => (answerDrops = resolve));
      return null;
    };
    const turns = { places: 1, waitingPerTenant: MOST_WAITING };
    api = await startTestApi(engine, { turns, backend: { dropsOf }, sweeping: false });
    [one, two] = [await api.createTenantWithKey("admin"), await api.createTenantWithKey("admin")];
    vpcId = await api.createVpc(one.token, "10.0.0.0/16");
  });
  afterEach(() => until({ running: 0, waiting: 0 }));
  afterAll(() => api.stop());

  const get = (key: TenantKey, path = "/v1/vpcs") => api.call(key.token, "GET", path);
  const rename = (key: TenantKey) => {
    return api.call(key.token, "PATCH", `/v1/vpcs/${vpcId}`, { name: "renamed" });
  };

  const until = (counts: CallCounts) => untilTurns(api, counts);

  /** While a call of the first tenant holds the place, because the database keeps it waiting. */
  async function whileHeld<T>(work: () => Promise<T>): Promise<T> {
    const { held, result } = await api.context.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT 1 FROM "generation" FOR UPDATE`;
        const call = rename(one);
        await until({ running: 1, waiting: 0 });
        return { held: [call], result: await work() };
      },
      { timeout: 2 * LIMIT_MS },
    );
    for (const call of held) expect((await call).status).toBe(200);
    return result;
  }

  test("another tenant's call comes after one call, however many wait before it", async () => {
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const calls = await whileHeld(async () => {
      const crowd = Array.from({ length: MOST_WAITING }, () => get(one).then(note("one")));
      await until({ running: 1, waiting: MOST_WAITING });
      const other = get(two).then(note("two"));
      await until({ running: 1, waiting: MOST_WAITING + 1 });
      return [...crowd, other];
    });
    await Promise.all(calls);
    expect(order.indexOf("two")).toBeLessThanOrEqual(1);
  });

  test("more calls than may wait are refused, and nobody else's", async () => {
    const calls = await whileHeld(async () => {
      const crowd = Array.from({ length: MOST_WAITING }, () => get(one));
      await until({ running: 1, waiting: MOST_WAITING });
      const refused = await get(one);
      expect(refused).toMatchObject({ status: 429, body: { code: "TooManyRequests" } });
      expect(refused.headers["retry-after"]).toBe("1");
      return [...crowd, get(two)];
    });
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test("a call that asks the switch does not hold the place meanwhile", async () => {
    const subnet = { vpcId, cidrBlock: "10.0.1.0/24" };
    const { body: made } = await api.call(one.token, "POST", "/v1/subnets", subnet);
    const place = { subnetId: made.id };
    const { body: eni } = await api.call(one.token, "POST", "/v1/network-interfaces", place);
    const asking = get(one, `/v1/network-interfaces/${eni.id}/drops`);
    await waitFor(() => answerDrops !== undefined, LIMIT_MS, "the question to the switch");
    await until({ running: 0, waiting: 0 });
    expect((await get(two)).status).toBe(200);
    answerDrops?.();
    expect((await asking).status).toBe(200);
  });

  test("a call that waits for an equal one does not hold the place, nor does one that recovers", async () => {
    const key = "under way";
    const call = () => {
      const body = { cidrBlock: "10.1.0.0/16" };
      return api.call(one.token, "POST", "/v1/vpcs", body, { headers: { "idempotency-key": key } });
    };
    const setCall = (claimedUntil: Date) => {
      const data = { answer: null, claimedUntil };
      return api.context.db.idempotencyKey.updateMany({ where: { key }, data });
    };
    const first = await call();
    await setCall(new Date(Date.now() + 600_000));
    const attempt = async () => {
      let isOver = false;
      const waiting = call().finally(() => (isOver = true));
      expect((await get(two)).status).toBe(200);
      return { waiting, isOver };
    };
    // It gives up after a while. On a busy machine that may be before another call has come by.
    let [{ waiting, isOver }, attempts] = [await attempt(), 1];
    for (; isOver && attempts < 3; attempts += 1) ({ waiting, isOver } = await attempt());
    expect(isOver).toBe(false);
    await setCall(new Date(0));
    const answer = await waiting;
    if (answer.status === 409) expect(answer.body.code).toBe("IdempotentRequestInProgress");
    expect(await call()).toMatchObject({ status: 201, body: { id: first.body.id } });
  });

  describe("of clients that leave", () => {
    let port: number;

    beforeAll(async () => {
      await api.app.listen({ host: "127.0.0.1", port: 0 });
      port = (api.app.server.address() as AddressInfo).port;
    });

    function start(method: string, path: string, body?: string): ClientRequest {
      const headers = {
        authorization: `Bearer ${one.token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      };
      const call = request({ host: "127.0.0.1", port, method, path, headers });
      call.on("error", () => {});
      call.end(body);
      return call;
    }

    function leave(call: ClientRequest): Promise<void> {
      const closed = new Promise<void>((resolve) => call.once("close", resolve));
      call.destroy();
      return closed;
    }

    test("a call that waits is not made", async () => {
      await whileHeld(async () => {
        const calls = [1, 2, 3].map(() => start("PATCH", `/v1/vpcs/${vpcId}`, '{"name":"gone"}'));
        await until({ running: 1, waiting: 3 });
        await Promise.all(calls.map(leave));
        await until({ running: 1, waiting: 0 });
      });
      const { body } = await get(one, `/v1/vpcs/${vpcId}`);
      expect(body.name).toBe("renamed");
    });

    test("a call that is under way keeps the place until it is over", async () => {
      await api.context.db.$transaction(
        async (tx) => {
          await tx.$queryRaw`SELECT 1 FROM "generation" FOR UPDATE`;
          const call = start("PATCH", `/v1/vpcs/${vpcId}`, '{"name":"left"}');
          await until({ running: 1, waiting: 0 });
          await leave(call);
          expect((await countTurns(api)).running).toBe(1);
        },
        { timeout: 2 * LIMIT_MS },
      );
      await until({ running: 0, waiting: 0 });
      const { body } = await get(one, `/v1/vpcs/${vpcId}`);
      expect(body.name).toBe("left");
    });
  });
});

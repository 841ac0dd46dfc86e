import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { type CallCounts, untilTurns } from "../../support/turns.js";
import { type EventStream, openStream } from "./sse-client.js";

const LIMIT_MS = 20_000;

/** Embedded, nobody can hold up a read that has its place and nobody else. */
const served = databaseEngines.filter(({ name }) => name === "postgres");

describe.each(served)("streams that catch up at the only place, on $name", (engine) => {
  let api: TestApi;
  let url: string;
  let one: TenantKey;
  let two: TenantKey;
  const open: EventStream[] = [];

  beforeAll(async () => {
    api = await startTestApi(engine, {
      turns: { places: 1, waitingPerTenant: 2 },
      sweeping: false,
    });
    await api.app.listen({ host: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
    [one, two] = [await api.createTenantWithKey("admin"), await api.createTenantWithKey("admin")];
    await api.createVpc(one.token, "10.0.0.0/16");
  });
  afterEach(async () => {
    for (const stream of open.splice(0)) stream.leave();
    await until({ running: 0, waiting: 0 });
  });
  afterAll(() => api.stop());

  const get = ({ token }: TenantKey) => api.call(token, "GET", "/v1/vpcs");

  async function reopen({ token }: TenantKey): Promise<EventStream> {
    const stream = await openStream(url, token, { query: "?after=0" });
    expect(stream.status).toBe(200);
    open.push(stream);
    return stream;
  }

  const until = (counts: CallCounts) => untilTurns(api, counts);

  /** While events cannot be read. */
  function whileUnreadable<T>(work: () => Promise<T>): Promise<T> {
    return api.context.db.$transaction(
      async (tx) => {
        await tx.$executeRaw`LOCK TABLE "event" IN ACCESS EXCLUSIVE MODE`;
        return work();
      },
      { timeout: 2 * LIMIT_MS },
    );
  }

  test("have a place for each part, and give it back before the part is sent", async () => {
    const { stream, call } = await whileUnreadable(async () => {
      const stream = await reopen(one);
      await until({ running: 1, waiting: 0 });
      const call = get(two);
      await until({ running: 1, waiting: 1 });
      return { stream, call };
    });
    expect((await call).status).toBe(200);
    // Nothing of the stream has been taken yet.
    await until({ running: 0, waiting: 0 });
    expect(await stream.take(1)).toHaveLength(1);
  });
});

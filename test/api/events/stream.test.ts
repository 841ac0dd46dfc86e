import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import {
  type ListeningApp,
  listedEvents,
  newKey,
  newTenant,
  newVpc,
  OPERATOR_TOKEN,
  startApp,
  type TenantKey,
} from "./app.js";
import { type Frame, openStream } from "./sse-client.js";

describe.each(databaseEngines)("the event stream on $name", (engine) => {
  let fresh: FreshDatabase;
  let app: ListeningApp;
  let one: TenantKey;
  let two: TenantKey;

  beforeEach(async () => {
    fresh = await engine.fresh();
    app = await startApp(fresh);
    one = await newTenant(app, "admin");
    two = await newTenant(app, "admin");
  });
  afterEach(async () => {
    await app.stop();
    await fresh.cleanup();
  });

  test("says what the list says, from the beginning, from an event on, or from now on", async () => {
    await newVpc(app, one.token, "10.0.0.0/16");
    const list = await listedEvents(app, one.token);
    const all = await openStream(app.url, one.token, { query: "?after=0" });
    expect(all.status).toBe(200);
    expect(all.headers.get("content-type")).toBe("text/event-stream");
    expect(all.headers.get("cache-control")).toBe("no-store");
    const frames = await all.take(list.length);
    expect(frames.map(({ data }) => data)).toEqual(list);
    expect(frames.map(({ id }) => id)).toEqual(list.map(({ id }) => id));
    expect(frames.at(-1)?.event).toBe("vpc.create");

    const lastEventId = list.at(-2)?.id ?? 0;
    const some = await openStream(app.url, one.token, { query: "?after=0", lastEventId });
    const fromNow = await openStream(app.url, one.token);
    const id = await newVpc(app, one.token, "10.1.0.0/16");
    expect(await ids(some.take(2))).toEqual([list.at(-1)?.id, (list.at(-1)?.id ?? 0) + 1]);
    expect((await fromNow.take(1))[0]?.data.resource).toEqual({ type: "vpc", id });
    for (const stream of [all, some, fromNow]) stream.leave();
  });

  test("goes on after event 0, before the first, when told so", async () => {
    const list = await listedEvents(app, one.token);
    const stream = await openStream(app.url, one.token, { lastEventId: 0 });
    await newVpc(app, one.token, "10.0.0.0/16");
    expect((await stream.take(1))[0]?.id).toBe(list[0]?.id);
    stream.leave();
  });

  test("refuses a start that is none, and those who may not see events", async () => {
    const ask = async (token: string, query: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${app.url}/v1/events/stream${query}`, {
        headers: { authorization: `Bearer ${token}`, ...headers },
      });
      const body = (await response.json()) as { code: string; errors?: unknown[] };
      return { status: response.status, body };
    };
    const bad = await ask(one.token, "", { "last-event-id": "seven" });
    expect(bad).toMatchObject({ status: 400, body: { code: "ValidationError" } });
    expect(bad.body.errors?.[0]).toMatchObject({ parameter: "last-event-id", in: "header" });
    expect((await ask(one.token, "?after=-1")).status).toBe(400);
    const networkAdmin = await newKey(app, one.tenantId, "network-admin");
    expect(await ask(networkAdmin.token, "")).toMatchObject({ status: 403 });
    expect(await ask("nobody", "")).toMatchObject({ status: 401 });
  });

  test("a reader that comes back again and again loses nothing and sees nothing twice", async () => {
    const start = (await listedEvents(app, one.token)).at(-1)?.id ?? 0;
    const vpcs = 40;
    const writing = Promise.all(
      Array.from({ length: vpcs }, (_, i) => newVpc(app, one.token, `10.${i}.0.0/16`)),
    );
    const seen: number[] = [];
    for (let visit = 1; seen.length < vpcs; visit += 1) {
      const lastEventId = seen.at(-1) ?? start;
      const stream = await openStream(app.url, one.token, { lastEventId });
      seen.push(...(await ids(stream.take(Math.min(visit % 7, vpcs - seen.length)))));
      stream.leave();
    }
    await writing;
    const list = await listedEvents(app, one.token, `&after=${start}`);
    expect(seen).toEqual(list.map(({ id }) => id));
  });

  test("a stop ends the stream in good order, and it goes on where it was after the start", async () => {
    const start = (await listedEvents(app, one.token)).at(-1)?.id ?? 0;
    const before = await openStream(app.url, one.token, { lastEventId: start });
    const made = [await newVpc(app, one.token, "10.1.0.0/16")];
    const seen = await before.take(1);
    const stopping = performance.now();
    await app.stop();
    seen.push(...(await before.rest()));
    expect(performance.now() - stopping).toBeLessThan(5000);

    app = await startApp(fresh);
    made.push(await newVpc(app, one.token, "10.2.0.0/16"));
    const lastEventId = seen.at(-1)?.id ?? start;
    const after = await openStream(app.url, one.token, { lastEventId });
    made.push(await newVpc(app, one.token, "10.3.0.0/16"));
    seen.push(...(await after.take(2)));
    after.leave();
    expect(seen.map(({ data }) => data.resource.id)).toEqual(made);
  });

  test("a stop does not wait for a client that does not read", async () => {
    const name = "x".repeat(10_000);
    const rows = Array.from({ length: 2000 }, (_, i) => ({
      id: 1000 + i,
      actorKind: "system",
      resourceType: "tenant",
      resourceId: one.tenantId,
      action: name,
      tenantId: one.tenantId,
    }));
    await app.context.db.event.createMany({ data: rows });
    await app.context.db.generation.updateMany({ data: { value: 40_000 } });
    const accepted = once(app.server, "connection");
    const client = connect(Number(new URL(app.url).port), "127.0.0.1").pause();
    client.on("error", () => undefined);
    const token = `authorization: Bearer ${OPERATOR_TOKEN}`;
    client.write(`GET /v1/events/stream?after=0 HTTP/1.1\r\nhost: x\r\n${token}\r\n\r\n`);
    const [served] = (await accepted) as [Socket];
    await expect.poll(() => served.writableNeedDrain, { timeout: 20_000 }).toBe(true);
    const stopping = performance.now();
    await app.stop();
    expect(performance.now() - stopping).toBeLessThan(8000);
    client.destroy();
    app = await startApp(fresh);
  });

  test("each side of a peering sees it, and not which key of the other was used", async () => {
    const requesterVpcId = await newVpc(app, one.token, "10.1.0.0/16");
    const accepterVpcId = await newVpc(app, two.token, "10.2.0.0/16");
    const streams = await Promise.all([
      openStream(app.url, one.token),
      openStream(app.url, two.token),
    ]);
    const ends = { requesterVpcId, accepterVpcId, accepterTenantId: two.tenantId };
    const { id } = await app.send<{ id: string }>(one.token, "POST", "/vpc-peerings", ends);
    await app.send(two.token, "POST", `/vpc-peerings/${id}/accept?wait=10`);
    const [seenByOne = [], seenByTwo = []] = await Promise.all(
      streams.map((stream) => stream.take(3)),
    );
    const names = ["vpc-peering.request", "vpc-peering.accept", "vpc-peering.activate"];
    expect(seenByOne.map(({ event }) => event)).toEqual(names);
    expect(seenByTwo.map(({ event }) => event)).toEqual(names);
    expect(keysOf(seenByOne)).toEqual([one.keyId, null, null]);
    expect(keysOf(seenByTwo)).toEqual([null, two.keyId, null]);
    await newVpc(app, two.token, "10.3.0.0/16");
    await newVpc(app, one.token, "10.4.0.0/16");
    const next = await streams[0]?.next();
    expect(next?.data.actor.tenantId).toBe(one.tenantId);
    for (const stream of streams) stream.leave();
  });

  test("ends when the key is revoked or the tenant suspended, without what happens then", async () => {
    const key = await newKey(app, one.tenantId, "admin");
    const revoked = await openStream(app.url, key.token);
    const suspended = await openStream(app.url, two.token);
    await app.send(OPERATOR_TOKEN, "DELETE", `/tenants/${one.tenantId}/access-keys/${key.keyId}`);
    await newVpc(app, one.token, "10.1.0.0/16");
    expect(await revoked.rest()).toEqual([]);
    await app.send(OPERATOR_TOKEN, "PATCH", `/tenants/${two.tenantId}`, { suspended: true });
    expect(await suspended.rest()).toEqual([]);
  });
});

describe("two daemons on one PostgreSQL", () => {
  const [engine] = databaseEngines.filter(({ name }) => name === "postgres");
  if (engine === undefined) throw new Error("there is no PostgreSQL engine");
  let fresh: FreshDatabase;
  let apps: readonly [ListeningApp, ListeningApp];

  beforeEach(async () => {
    fresh = await engine.fresh();
    apps = [await startApp(fresh), await startApp(fresh)];
  });
  afterEach(async () => {
    for (const app of apps) await app.stop();
    await fresh.cleanup();
  });

  test("a stream of either has what both have written, in one order", async () => {
    const [left, right] = apps;
    const { token } = await newTenant(left, "admin");
    const streams = await Promise.all(apps.map((app) => openStream(app.url, token)));
    const vpcs = 60;
    await Promise.all(
      Array.from({ length: vpcs }, (_, i) =>
        newVpc(i % 2 === 0 ? left : right, token, `10.${i}.0.0/16`),
      ),
    );
    const [fromLeft, fromRight] = await Promise.all(streams.map((each) => ids(each.take(vpcs))));
    const items = await listedEvents(left, token);
    const list = items.filter(({ resource }) => resource.type === "vpc").map(({ id }) => id);
    expect(list).toHaveLength(vpcs);
    expect(fromLeft).toEqual(list);
    expect(fromRight).toEqual(list);
    for (const stream of streams) stream.leave();
  });

  test("a reader may go on at the other", async () => {
    const [left, right] = apps;
    const { token } = await newTenant(left, "admin");
    const first = await openStream(left.url, token);
    const made = [await newVpc(right, token, "10.1.0.0/16")];
    const [seen] = await first.take(1);
    first.leave();
    made.push(await newVpc(left, token, "10.2.0.0/16"));
    const second = await openStream(right.url, token, { lastEventId: seen?.id ?? 0 });
    const [next] = await second.take(1);
    expect([seen, next].map((frame) => frame?.data.resource.id)).toEqual(made);
    second.leave();
  });
});

async function ids(frames: Promise<Frame[]>): Promise<number[]> {
  return (await frames).map(({ id }) => id);
}

function keysOf(frames: readonly Frame[]): Array<string | null> {
  return frames.map(({ data }) => data.actor.accessKeyId);
}

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import {
  type ListeningApp,
  newKey,
  newTenant,
  OPERATOR_TOKEN,
  startApp,
  type TenantKey,
} from "./app.js";
import { type EventStream, openStream } from "./sse-client.js";

const MOST = 3;
const QUOTAS = { streamsPerKey: MOST, streamsPerTenant: 5, streams: 40 };

describe.each(databaseEngines)("places for event streams on $name", (engine) => {
  let fresh: FreshDatabase;
  let app: ListeningApp;
  let key: TenantKey;
  const open: EventStream[] = [];

  beforeAll(async () => {
    fresh = await engine.fresh();
    app = await startApp(fresh, QUOTAS);
  });
  afterAll(async () => {
    await app.stop();
    await fresh.cleanup();
  });
  beforeEach(async () => {
    key = await newTenant(app, "admin");
  });
  afterEach(() => {
    for (const stream of open.splice(0)) stream.leave();
  });

  /** The status of one more stream, which is left open. */
  async function opens(token: string): Promise<number> {
    const stream = await openStream(app.url, token);
    open.push(stream);
    return stream.status;
  }

  async function opensAll(token: string, count = MOST): Promise<number[]> {
    const statuses: number[] = [];
    for (let each = 0; each < count; each += 1) statuses.push(await opens(token));
    return statuses;
  }

  const allOf = (status: number, count = MOST) => Array(count).fill(status);

  /** Until so many can be opened again. */
  const haveRoom = (token: string) =>
    expect.poll(() => opens(token), { timeout: 10_000, interval: 20 }).toBe(200);

  const ask = (token: string, query = "", method = "GET") =>
    fetch(`${app.url}/v1/events/stream${query}`, {
      method,
      headers: { authorization: `Bearer ${token}`, connection: "close" },
    });

  test("are so many for a credential, so many for a tenant, and not the others'", async () => {
    expect(await opensAll(key.token)).toEqual(allOf(200));
    const refused = await ask(key.token);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9][0-9]*$/);
    expect(refused.headers.get("content-type")).toContain("application/problem+json");
    expect(await refused.json()).toMatchObject({ code: "TooManyStreams", status: 429 });
    const second = await newKey(app, key.tenantId, "viewer");
    expect(await opensAll(second.token)).toEqual([200, 200, 429]);
    expect(await opensAll((await newTenant(app, "admin")).token)).toEqual(allOf(200));
    expect(await opensAll(OPERATOR_TOKEN)).toEqual(allOf(200));
    expect(await opens(OPERATOR_TOKEN)).toBe(429);
  });

  test("are given back when the client leaves", async () => {
    expect(await opensAll(key.token)).toEqual(allOf(200));
    open.pop()?.leave();
    await haveRoom(key.token);
    expect(await opens(key.token)).toBe(429);
  });

  test("are not taken by those that are refused", async () => {
    const blind = await newKey(app, key.tenantId, "network-admin");
    for (let each = 0; each <= MOST; each += 1) {
      expect((await ask(key.token, "?after=99999999")).status).toBe(410);
      expect((await ask(key.token, "?after=x")).status).toBe(400);
      expect((await ask(blind.token)).status).toBe(403);
    }
    expect(await opensAll(key.token)).toEqual(allOf(200));
  });

  test("are given back when the client is gone before it was answered", async () => {
    for (let each = 0; each < 4 * MOST; each += 1) await askAndLeave(app.url, key.token);
    await haveRoom(key.token);
    await haveRoom(key.token);
    await haveRoom(key.token);
    expect(await opens(key.token)).toBe(429);
  });

  test("are given back when the client had asked for several on one connection", async () => {
    for (let each = 0; each < 4; each += 1) await askAndLeave(app.url, key.token, 2 * MOST);
    await haveRoom(key.token);
    await haveRoom(key.token);
    await haveRoom(key.token);
    expect(await opens(key.token)).toBe(429);
  });

  test("are given back when the credential ends, though the client does not read", async () => {
    const ending = await newKey(app, key.tenantId, "admin");
    await writeMuch(app, key.tenantId);
    const { client, served } = await openDeaf(app, ending.token);
    await expect.poll(() => served.writableNeedDrain, { timeout: 20_000 }).toBe(true);
    expect(await opensAll(ending.token)).toEqual([200, 200, 429]);
    const other = await newKey(app, key.tenantId, "admin");
    expect(await opensAll(other.token)).toEqual([200, 200, 429]);
    await app.send(
      OPERATOR_TOKEN,
      "DELETE",
      `/tenants/${key.tenantId}/access-keys/${ending.keyId}`,
    );
    await haveRoom(other.token);
    await expect.poll(() => served.destroyed, { timeout: 10_000 }).toBe(true);
    client.destroy();
  });
});

/** Sends the request, so many times, and is gone at once. */
async function askAndLeave(url: string, token: string, times = 1): Promise<void> {
  const client = connect(Number(new URL(url).port), "127.0.0.1");
  client.on("error", () => undefined);
  await once(client, "connect");
  const head = `GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
  await new Promise((resolve) => client.write(head.repeat(times), resolve));
  client.destroy();
}

interface Deaf {
  readonly client: Socket;
  readonly served: Socket;
}

/** A stream from the beginning that nobody reads. */
async function openDeaf(app: ListeningApp, token: string): Promise<Deaf> {
  const client = connect(Number(new URL(app.url).port), "127.0.0.1").pause();
  client.on("error", () => undefined);
  await once(client, "connect");
  const { localPort } = client;
  const accepted = new Promise<Socket>((resolve) => {
    const see = ({ socket }: { readonly socket: Socket }) => {
      if (socket.remotePort !== localPort) return;
      app.server.off("request", see);
      resolve(socket);
    };
    app.server.on("request", see);
  });
  const auth = `authorization: Bearer ${token}`;
  client.write(`GET /v1/events/stream?after=0 HTTP/1.1\r\nhost: x\r\n${auth}\r\n\r\n`);
  return { client, served: await accepted };
}

/** More than the sockets between them hold. */
async function writeMuch({ context: { db } }: ListeningApp, tenantId: string): Promise<void> {
  const { value } = await db.generation.findFirstOrThrow();
  const what = { actorKind: "system", resourceType: "tenant", resourceId: tenantId, tenantId };
  const action = "x".repeat(100_000);
  const rows = Array.from({ length: 120 }, (_, i) => ({
    id: value + BigInt(i + 1),
    action,
    ...what,
  }));
  await db.event.createMany({ data: rows });
  await db.generation.updateMany({ data: { value: { increment: rows.length } } });
}

import { afterEach, expect, test, vi } from "vitest";
import type { RawClient } from "./raw-client.js";
import { GET, lastAnswer, type Served, serve } from "./served.js";

vi.setConfig({ testTimeout: 60_000 });

const PATIENCE = { timeout: 20_000 };
const BOUNDS = {
  total: 12,
  perAddress: 8,
  unfinishedPerAddress: 3,
  idlePerAddress: 3,
  sweepMs: 20,
};
const NEIGHBOUR = "127.0.0.2";
const THIRD = "127.0.0.3";

const started: Served[] = [];
afterEach(async () => {
  for (const { app, release } of started.splice(0)) {
    release();
    app.connections.closeAll();
    await app.close();
  }
});

async function start(...options: Parameters<typeof serve>): Promise<Served> {
  const served = await serve(...options);
  started.push(served);
  return served;
}

async function several(count: number, connect: () => Promise<RawClient>): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  // One after the other, so that it is known who is the oldest.
  for (let made = 0; made < count; made += 1) clients.push(await connect());
  return clients;
}

async function ask(served: Served, from: string, text = GET): Promise<RawClient> {
  const client = await served.connect({ from });
  client.send(text);
  return client;
}

async function expectAnswer(client: RawClient, text = "answer") {
  await expect.poll(() => client.received(), PATIENCE).toContain(text);
}

const closedOf = (clients: readonly RawClient[]) => clients.map((client) => client.isClosed());

test("beyond its bound an address loses its oldest unfinished connections, and no other does", async () => {
  const served = await start(BOUNDS);
  const neighbours = await several(2, () => served.connect({ from: NEIGHBOUR }));
  const clients = await several(5, () => served.connect());
  await expect.poll(() => closedOf(clients), PATIENCE).toEqual([true, true, false, false, false]);
  expect(closedOf(neighbours)).toEqual([false, false]);
  expect(served.app.connections.closures).toMatchObject({ room: 0, address: 2, time: 0 });
  await expectAnswer(await ask(served, "127.0.0.1"));
});

test("handshakes under way count as unfinished", async () => {
  const served = await start(BOUNDS, true);
  const { rawClient } = await import("./raw-client.js");
  const clients = await several(5, () => rawClient({ port: served.port }));
  await expect.poll(() => closedOf(clients), PATIENCE).toEqual([true, true, false, false, false]);
});

test("idle connections beyond the bound go too, apart from the unfinished ones", async () => {
  const served = await start(BOUNDS);
  const idle = await several(5, async () => {
    const client = await ask(served, "127.0.0.1");
    await expectAnswer(client);
    return client;
  });
  const unfinished = await several(2, () => served.connect());
  await expect.poll(() => closedOf(idle), PATIENCE).toEqual([true, true, false, false, false]);
  expect(closedOf(unfinished)).toEqual([false, false]);
});

test("calls and streams under way are never closed for room, and new clients get in", async () => {
  const served = await start(BOUNDS);
  const held = await several(3, () => {
    return ask(served, "127.0.0.1", "GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
  });
  const streams = await several(4, () => {
    return ask(served, "127.0.0.1", "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n");
  });
  for (const stream of streams) await expectAnswer(stream, "begun");
  await expect.poll(() => served.app.connections.counts().busy, PATIENCE).toBe(7);
  await several(40, () => served.connect({ from: NEIGHBOUR }));
  await expectAnswer(await ask(served, THIRD));
  await expectAnswer(await ask(served, "127.0.0.1"));
  expect(closedOf([...held, ...streams])).toEqual(Array(7).fill(false));
  served.release();
  for (const client of held) await expectAnswer(client, "released");
});

test("who has all the busy connections that an address may have gets no more, and others do", async () => {
  const served = await start(BOUNDS);
  await several(8, () => ask(served, "127.0.0.1", "GET /held HTTP/1.1\r\nhost: x\r\n\r\n"));
  await expect.poll(() => served.app.connections.counts().busy, PATIENCE).toBe(8);
  const refused = await served.connect();
  await refused.closed;
  expect(served.app.connections.closures).toMatchObject({ room: 1, address: 0, time: 0 });
  await expectAnswer(await ask(served, NEIGHBOUR));
});

test("a crowd that sends its requests is answered to the last, however many come at once", async () => {
  const served = await start({ ...BOUNDS, total: 400, perAddress: 200 });
  const crowd = await Promise.all(Array.from({ length: 100 }, () => ask(served, "127.0.0.1")));
  for (const client of crowd) await expectAnswer(client);
});

test("answers that nobody reads are no reason to keep others out", async () => {
  const served = await start({ ...BOUNDS, total: 3, perAddress: 3 });
  const deaf = await several(3, async () => {
    const client = await served.connect();
    client.socket.pause();
    client.send("GET /much HTTP/1.1\r\nhost: x\r\n\r\n");
    return client;
  });
  await expect.poll(() => served.app.connections.counts().unread, PATIENCE).toBe(3);
  await expectAnswer(await ask(served, NEIGHBOUR));
  expect(served.app.connections.closures.room).toBe(1);
  for (const client of deaf) client.socket.destroy();
});

test("with too much unread, who has most of it loses what has waited longest", async () => {
  const served = await start({ ...BOUNDS, unsentBytes: 40 * 1024 * 1024 });
  const unread = async (from: string) => {
    const before = served.begun.length;
    const client = await served.connect({ from });
    client.socket.pause();
    client.send("GET /much HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect.poll(() => served.begun.length, PATIENCE).toBe(before + 1);
    return client;
  };
  const neighbour = await unread(NEIGHBOUR);
  const clients = await several(4, () => unread("127.0.0.1"));
  const { closures } = served.app.connections;
  await expect.poll(() => closures.unsent, PATIENCE).toBe(3);
  for (const client of [neighbour, ...clients]) client.socket.resume();
  await expect.poll(() => closedOf(clients), PATIENCE).toEqual([true, true, true, false]);
  for (const client of [neighbour, clients[3]]) {
    await expect.poll(() => client?.received().length, PATIENCE).toBeGreaterThan(16 * 1024 * 1024);
  }
  await expect.poll(() => served.app.connections.counts(), PATIENCE).toMatchObject({ idle: 2 });
});

test("what is unread over TLS counts as well", async () => {
  const served = await start({ ...BOUNDS, unsentBytes: 40 * 1024 * 1024 }, true);
  const clients = await several(4, async () => {
    const client = await served.connect();
    client.socket.pause();
    client.send("GET /much HTTP/1.1\r\nhost: x\r\n\r\n");
    return client;
  });
  await expect.poll(() => served.app.connections.closures.unsent, PATIENCE).toBe(2);
  expect(served.app.connections.counts()).toMatchObject({ unread: 2 });
  for (const client of clients) client.socket.destroy();
});

test("who does not read an answer is not kept for the requests that wait behind it", async () => {
  const served = await start({ ...BOUNDS, total: 1, perAddress: 1 });
  const deaf = await served.connect();
  deaf.socket.pause();
  deaf.send(`GET /much HTTP/1.1\r\nhost: x\r\n\r\n${GET}`);
  await expect.poll(() => served.app.connections.counts().unread, PATIENCE).toBe(1);
  await expectAnswer(await ask(served, NEIGHBOUR));
  deaf.socket.destroy();
});

test("one that never sends the body of its answered request counts as unfinished", async () => {
  const served = await start(BOUNDS);
  const text = "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n";
  const client = await ask(served, "127.0.0.1", text);
  await expectAnswer(client);
  await expect.poll(() => served.app.connections.counts().unfinished, PATIENCE).toBe(1);
  client.send("0123456789");
  await expect.poll(() => served.app.connections.counts().idle, PATIENCE).toBe(1);
  expect(lastAnswer(client.received()).status).toBe(200);
});

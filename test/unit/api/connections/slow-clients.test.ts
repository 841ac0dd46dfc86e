import { afterAll, beforeAll, describe, test, vi } from "vitest";
import { rawClient } from "./raw-client.js";
import { GET, lastAnswer, type Served, serve } from "./served.js";

// All of them only wait, so they wait together.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000, maxConcurrency: 40 });

/** Short, and long enough for those who do send their request on a machine under load. */
const TIMES = {
  handshakeMs: 1500,
  headerMs: 1500,
  requestMs: 2000,
  keepAliveMs: 1000,
  answerMs: 1000,
  lingerMs: 500,
  sweepMs: 50,
};

const POST = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

const PATIENCE = { timeout: 20_000 };

const CHUNK = "1\r\n \r\n";

const HTTP_1_0 = `${POST.replace("1.1", "1.0")}content-length: 60000\r\n\r\n`;

const PROBLEM = {
  code: "RequestTimeout",
  status: 408,
  title: "The request did not come to its end in time",
};

describe.concurrent.each([
  ["HTTP", false],
  ["HTTPS", true],
])("%s clients who never come to an end", (_name, isTls) => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(TIMES, isTls);
  });
  afterAll(async () => {
    served.release();
    served.app.connections.closeAll();
    await served.app.close();
  });

  /** Sends a part again and again until the connection is closed. */
  async function drip(head: string, part: string) {
    const client = await served.connect();
    client.send(head);
    const dripping = setInterval(() => client.send(part), 50);
    await client.closed;
    clearInterval(dripping);
    return client.received();
  }

  test.concurrent.for<readonly [string, string, string, string]>([
    ["a header byte by byte", "GET / HTTP/1.1\r\nx-long: ", "x", ""],
    ["header fields one by one", "GET / HTTP/1.1\r\n", "x-some: x\r\n", ""],
    ["empty lines and no request", "\r\n", "\r\n", ""],
    ["a body byte by byte", `${POST}content-length: 60000\r\n\r\n`, " ", "/"],
    ["a body in chunks without an end", `${POST}transfer-encoding: chunked\r\n\r\n`, CHUNK, "/"],
    [
      "a body that was asked for",
      `${POST}expect: 100-continue\r\ncontent-length: 9\r\n\r\n`,
      "",
      "/",
    ],
    ["HTTP/1.0", HTTP_1_0, " ", "/"],
  ])("%s: 408", async ([_what, head, part, instance], { expect }) => {
    const answer = lastAnswer(await drip(head, part));
    expect(answer).toMatchObject({ status: 408, body: { ...PROBLEM, instance } });
    expect(answer.head).toContain("application/problem+json");
    expect(answer.head).toMatch(/connection: close/i);
  });

  test.concurrent("the second request of a connection: 408 after the first answer", async ({
    expect,
  }) => {
    const text = await drip(`${GET}GET / HTTP/1.1\r\nx: `, "x");
    expect(text).toContain("answer");
    expect(lastAnswer(text)).toMatchObject({ status: 408, body: { ...PROBLEM, instance: "" } });
  });

  test.concurrent("not a byte: closed without a word", async ({ expect }) => {
    const client = await served.connect();
    await client.closed;
    expect(client.received()).toBe("");
  });

  test.concurrent("no handshake, or the first byte of one: closed without a word", async ({
    expect,
  }) => {
    const bare = await rawClient({ port: served.port });
    if (isTls) bare.send("\x16");
    await bare.closed;
    expect(bare.received()).toBe("");
  });

  test.concurrent("a body that nobody asks for: answered once, and closed", async ({ expect }) => {
    const text = await drip("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n", " ");
    expect(lastAnswer(text)).toMatchObject({ status: 200, body: "answer" });
  });

  test.concurrent("idle after a request: closed after as long as was told", async ({ expect }) => {
    const client = await served.connect();
    client.send(GET);
    await client.closed;
    expect(lastAnswer(client.received()).head).toMatch(/keep-alive: timeout=1\b/i);
  });

  test.concurrent("empty lines after a request do not keep a connection", async ({ expect }) => {
    const text = await drip(GET, "\r\n");
    expect(lastAnswer(text)).toMatchObject({ status: 200 });
  });

  test.concurrent("an answer that is not read", async ({ expect }) => {
    const client = await served.connect();
    client.socket.pause();
    const before = served.app.connections.closures.time;
    client.send("GET /much HTTP/1.1\r\nhost: x\r\n\r\n");
    const closures = () => served.app.connections.closures.time;
    await expect.poll(closures, PATIENCE).toBeGreaterThan(before);
    client.socket.resume();
    await client.closed;
  });

  test.concurrent("half closed in the middle of a header: 400, and closed", async ({ expect }) => {
    const client = await served.connect();
    client.socket.end("GET / HTTP/1.1\r\nhost");
    await client.closed;
    expect(lastAnswer(client.received())).toMatchObject({ status: 400 });
  });

  test.concurrent("half closed without a word", async ({ expect }) => {
    const client = await served.connect();
    client.socket.end();
    await client.closed;
    expect(client.received()).toBe("");
  });

  test.concurrent("a stream and a call that is waited for outlast all of this", async ({
    expect,
  }) => {
    const stream = await served.connect();
    stream.send("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n");
    const waiting = await served.connect();
    waiting.send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect.poll(() => stream.received(), PATIENCE).toContain("begun");
    // Whoever comes and goes later has been looked at more often than any limit lasts.
    for (let turn = 0; turn < 3; turn += 1) await (await served.connect()).closed;
    expect([stream.isClosed(), waiting.isClosed()]).toEqual([false, false]);
    served.release();
    await expect.poll(() => waiting.received(), PATIENCE).toContain("released");
  });
});

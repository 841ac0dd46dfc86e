import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawClient } from "./raw-client.js";
import { GET, lastAnswer, type Served, serve } from "./served.js";

const PATIENCE = { timeout: 20_000 };

describe.each([
  ["HTTP", false],
  ["HTTPS", true],
])("over %s", (_name, isTls) => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({}, isTls);
  });
  afterAll(async () => {
    served.app.connections.closeAll();
    await served.app.close();
  });

  async function answersTo(text: string) {
    const client = await served.connect();
    client.send(text);
    await client.closed;
    return client.received();
  }

  test.each([
    ["no HTTP", "hello\r\n\r\n", 400, "ValidationError", ""],
    ["a method that is none", "G=T / HTTP/1.1\r\nhost: x\r\n\r\n", 400, "ValidationError", ""],
    ["a method nobody knows", "BREW / HTTP/1.1\r\nhost: x\r\n\r\n", 501, "NotImplemented", ""],
    ["a method in small letters", "get / HTTP/1.1\r\nhost: x\r\n\r\n", 501, "NotImplemented", ""],
    ["a line like one", "BREW coffee, please\r\nhost: x\r\n\r\n", 400, "ValidationError", ""],
    ["a header without a colon", "GET / HTTP/1.1\r\nhost\r\n\r\n", 400, "ValidationError", ""],
    [
      "two lengths of one body",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      400,
      "ValidationError",
      "",
    ],
    [
      "a chunk without a length",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
      "ValidationError",
      "/",
    ],
    [
      "a header beyond the limit",
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "RequestHeaderFieldsTooLarge",
      "",
    ],
    [
      "no host",
      "GET /there?secret=1 HTTP/1.1\r\nconnection: close\r\n\r\n",
      400,
      "ValidationError",
      "/there",
    ],
    [
      "an unknown expectation",
      "GET /there?secret=1 HTTP/1.1\r\nhost: x\r\nexpect: cake\r\n\r\n",
      417,
      "ExpectationFailed",
      "/there",
    ],
  ])("%s: a problem document", async (_what, text, status, code, instance) => {
    const received = await answersTo(text);
    const answer = lastAnswer(received);
    expect(answer).toMatchObject({ status, body: { code, status, instance } });
    expect(answer.head).toContain("application/problem+json");
    expect(received).not.toMatch(/HPE_|llhttp|node/i);
  });

  test("earlier requests of a connection are answered before what cannot be read is", async () => {
    const client = await served.connect();
    client.send(`GET /held HTTP/1.1\r\nhost: x\r\n\r\n${GET}hello\r\n\r\nhello again\r\n\r\n`);
    const served2 = () => served.app.connections.counts().busy;
    await expect.poll(served2, PATIENCE).toBe(1);
    expect(client.received()).toBe("");
    served.release();
    await client.closed;
    const statuses = client.received().match(/(?<=HTTP\/1\.1 )[0-9]{3}/g);
    expect(statuses).toEqual(["200", "200", "400"]);
    expect(client.received()).toMatch(/released.*answer.*ValidationError/s);
  });

  test("an upgrade is not taken up, and a tunnel is not made", async () => {
    const upgrade = "connection: upgrade, close\r\nupgrade: websocket";
    const received = await answersTo(`GET / HTTP/1.1\r\nhost: x\r\n${upgrade}\r\n\r\n`);
    expect(lastAnswer(received)).toMatchObject({ status: 200, body: "answer" });
    await answersTo("CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n");
  });

  test("HTTP/1.0 is answered without a Host, and closed", async () => {
    expect(lastAnswer(await answersTo("GET / HTTP/1.0\r\n\r\n"))).toMatchObject({ body: "answer" });
  });

  test("what has been told and forgotten leaves nothing behind", async () => {
    const counts = () => served.app.connections.counts();
    await expect.poll(counts, PATIENCE).toEqual({ unfinished: 0, idle: 0, unread: 0, busy: 0 });
  });
});

test("plain HTTP where TLS is spoken is closed", async () => {
  const { app, port } = await serve({}, true);
  const client = await rawClient({ port });
  client.send(GET);
  await client.closed;
  expect(client.received()).not.toContain("answer");
  await app.close();
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MOST_UNANSWERED } from "../../../../src/api/connections/limits.js";
import { GET, lastAnswer, type Served, serve } from "./served.js";

const PATIENCE = { timeout: 20_000 };

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

describe.each([
  ["HTTP", false],
  ["HTTPS", true],
])("several requests at once on a connection, over %s", (_name, isTls) => {
  let served: Served;
  beforeEach(async () => {
    served = await serve({}, isTls);
  });
  afterEach(async () => {
    served.release();
    served.app.connections.closeAll();
    await served.app.close();
  });

  async function clientOf(text: string) {
    const client = await served.connect();
    client.send(text);
    return client;
  }

  const untilBegun = (...paths: string[]) =>
    expect.poll(() => served.begun, PATIENCE).toEqual(paths);

  /** Until what was sent before has come too: the server's turn of events has been here twice. */
  async function untilSettled() {
    for (let turn = 0; turn < 2; turn += 1) {
      const client = await clientOf(get("/last"));
      await client.closed;
    }
    return served.begun.filter((path) => path !== "/last");
  }

  test("are begun one after another, and all answered", async () => {
    const client = await clientOf(`${get("/held")}${get("/?second")}${get("/held")}`);
    expect(await untilSettled()).toEqual(["/held"]);
    served.release();
    await expect.poll(() => served.begun.slice(-2), PATIENCE).toEqual(["/?second", "/held"]);
    expect(client.received()).toMatch(/released.*answer/s);
    served.release();
    await expect.poll(() => client.received(), PATIENCE).toMatch(/released.*answer.*released/s);
    expect(served.app.connections.counts().idle).toBe(1);
  });

  test("are so many at most, again and again", async () => {
    const client = await clientOf("");
    for (let turn = 1; turn <= 3; turn += 1) {
      client.send(GET.repeat(MOST_UNANSWERED));
      const answers = () => client.received().match(/answer/g)?.length;
      await expect.poll(answers, PATIENCE).toBe(turn * MOST_UNANSWERED);
    }
    expect(client.isClosed()).toBe(false);
    expect(served.begun).toHaveLength(3 * MOST_UNANSWERED);
  });

  test("with one more the connection is closed, and what waits is not begun", async () => {
    const client = await clientOf(get("/held").repeat(MOST_UNANSWERED + 1));
    await client.closed;
    expect(served.app.connections.closures.requests).toBe(1);
    served.release();
    expect(await untilSettled()).toEqual(["/held"]);
  });

  test("are dropped when the client leaves", async () => {
    const client = await clientOf(get("/held").repeat(5));
    await untilBegun("/held");
    client.socket.destroy();
    const counts = () => served.app.connections.counts();
    await expect.poll(counts, PATIENCE).toEqual({ unfinished: 0, idle: 0, unread: 0, busy: 0 });
    served.release();
    expect(await untilSettled()).toEqual(["/held"]);
  });

  test("are dropped behind an answer that closes the connection", async () => {
    const client = await clientOf(`${get("/held")}${get("/last")}${get("/?never")}`);
    await untilBegun("/held");
    served.release();
    await client.closed;
    expect(client.received()).toMatch(/released.*last$/s);
    expect(served.begun).toEqual(["/held", "/last"]);
  });

  test("the last one that its client wants an answer to is answered", async () => {
    const client = await clientOf(
      `${get("/held")}GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    await untilBegun("/held");
    served.release();
    await client.closed;
    expect(client.received()).toMatch(/released.*answer$/s);
  });

  test("a body is asked for when it is its turn", async () => {
    const expectation = "expect: 100-continue\r\ncontent-length: 2\r\n";
    const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${expectation}\r\n`;
    const client = await clientOf(`${get("/held")}${head}`);
    await untilBegun("/held");
    expect(client.received()).toBe("");
    served.release();
    await expect.poll(() => client.received(), PATIENCE).toMatch(/released.*100 Continue/s);
    client.send("{}");
    await expect.poll(() => client.received(), PATIENCE).toMatch(/taken$/);
  });

  test("one behind a body that nobody reads is answered", async () => {
    const body = "x".repeat(200_000);
    const first = `GET /?first HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
    const client = await clientOf(`${first}${body}${get("/?second")}`);
    await untilBegun("/?first", "/?second");
    await expect.poll(() => client.received().match(/answer/g)?.length, PATIENCE).toBe(2);
    expect(lastAnswer(client.received()).status).toBe(200);
  });

  test("one that waits behind an answer that is not read is not begun", async () => {
    const client = await served.connect();
    client.socket.pause();
    client.send(`${get("/much")}${get("/?second")}`);
    await expect.poll(() => served.app.connections.counts().unread, PATIENCE).toBe(1);
    expect(await untilSettled()).toEqual(["/much"]);
    client.socket.resume();
    await untilBegun("/much", "/last", "/last", "/?second");
  });
});

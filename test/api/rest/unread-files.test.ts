import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MOST_UNANSWERED } from "../../../src/api/connections/limits.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const FILE = "/docs/static/swagger-ui-bundle.js";
const PATIENCE = { timeout: 20_000 };

const [pglite] = databaseEngines;
if (pglite === undefined) throw new Error("no database to test on");

let api: TestApi;
let port: number;
beforeAll(async () => {
  api = await startTestApi(pglite, { sweeping: false });
  await api.app.listen({ host: "127.0.0.1", port: 0 });
  port = (api.app.server.address() as AddressInfo).port;
});
afterAll(() => api.stop());

/** How often this process has the file open. */
function opened(): number {
  const targets = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return "";
    }
  });
  return targets.filter((target) => target.endsWith("swagger-ui-bundle.js")).length;
}

async function askWithoutReading(times: number) {
  const client = connect({ port, host: "127.0.0.1" }).pause();
  client.on("error", () => undefined);
  await once(client, "connect");
  client.write(`GET ${FILE} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(times));
  return client;
}

test("of the files that a connection asks for one is open, and none when it is gone", async () => {
  const clients = [];
  for (let each = 0; each < 4; each += 1) clients.push(await askWithoutReading(MOST_UNANSWERED));
  await expect.poll(opened, PATIENCE).toBe(4);
  for (const client of clients) client.destroy();
  await expect.poll(opened, PATIENCE).toBe(0);
});

test("one that asks for many at once is closed, and leaves none open", async () => {
  for (let each = 0; each < 4; each += 1) {
    const client = await askWithoutReading(200);
    await once(client.resume(), "close");
  }
  expect(api.app.connections.closures.requests).toBe(4);
  await expect.poll(opened, PATIENCE).toBe(0);
});

import { lookup } from "node:dns/promises";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createServer } from "../../../src/api/server.js";
import { loadConfig } from "../../../src/config.js";
import { listen } from "../../../src/daemon/listen.js";
import { rawClient } from "../api/connections/raw-client.js";

test("on localhost it listens at each of its addresses, as one server, and on none in the end", async () => {
  const app = createServer(pino({ level: "silent" }), {});
  app.get("/", async () => "answer");
  const url = await listen(app, loadConfig({ PATCHBAY_LISTEN: "localhost:0" }));
  const port = Number(new URL(url).port);
  const hosts = (await lookup("localhost", { all: true })).map(({ address }) => address);
  for (const host of hosts) {
    const client = await rawClient({ port, host });
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect.poll(client.received, { timeout: 20_000 }).toContain("answer");
  }
  expect(app.connections.size).toBe(hosts.length);
  app.connections.closeAll();
  await app.close();
  for (const host of hosts) await expect(rawClient({ port, host })).rejects.toThrow();
});

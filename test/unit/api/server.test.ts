import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { closeWhenStopping, createServer } from "../../../src/api/server.js";
import { cert, key } from "../../support/certificate.js";

const log = pino({ level: "silent" });
const servers: Array<ReturnType<typeof createServer>> = [];
afterEach(async () => {
  for (const app of servers.splice(0)) await app.close();
});

function start(options: Parameters<typeof createServer>[1]) {
  const app = createServer(log, options);
  servers.push(app);
  return app;
}

test("with a certificate the server speaks HTTPS", async () => {
  const app = start({ tls: { cert, key } });
  app.get("/", async () => "over TLS");
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const text = await new Promise<string>((resolve, reject) => {
    const options = { host: "127.0.0.1", port, ca: cert, servername: "localhost", agent: false };
    const asked = request(options, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    });
    asked.on("error", reject).end();
  });
  expect(text).toBe("over TLS");
});

test("clients are let go of once the daemon is to stop", async () => {
  const app = start({});
  const state = { stopping: false };
  closeWhenStopping(app, () => state.stopping);
  app.get("/", async () => "answer");
  expect((await app.inject("/")).headers["connection"]).not.toBe("close");
  state.stopping = true;
  expect((await app.inject("/")).headers["connection"]).toBe("close");
});

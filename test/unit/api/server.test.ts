import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { closeWhenStopping, createServer } from "../../../src/api/server.js";

/** Self-signed for localhost, made for this test and used nowhere else. */
const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUM4ybr62nZpQPdw5+X8RG9q+fGwYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA4NDExM1oYDzIxMjYxMDI4
MDg0MTEzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ6GhxPjPzL54dAXCx3CUsroJgzdTjLpypOUURasmwLKf6JfG/VG9ue
h/chIj5rnEjbMWZGAccHT9fXOrUfV6M/o28wbTAdBgNVHQ4EFgQUubLgwSeQ6eo/
STsTvdcHMeTq5LQwHwYDVR0jBBgwFoAUubLgwSeQ6eo/STsTvdcHMeTq5LQwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgIffTHT6QeckE/2KRffKmb4w9hXkOrMTpEDT24NOriycCIQCa
68Hg5m3gkQA15s7QAP87NqKBZXwMAqY2w0ekyf4wcA==
-----END CERTIFICATE-----
`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXHMj1bFGB79H6dQ9
DxltLs5XynxZG2FqaEc4kvHMzLihRANCAAQ6GhxPjPzL54dAXCx3CUsroJgzdTjL
pypOUURasmwLKf6JfG/VG9ueh/chIj5rnEjbMWZGAccHT9fXOrUfV6M/
-----END PRIVATE KEY-----
`;

const log = pino({ level: "silent" });
const servers: Array<ReturnType<typeof createServer>> = [];
afterEach(async () => {
  for (const app of servers.splice(0)) await app.close();
});

function start(tls: Parameters<typeof createServer>[1]) {
  const app = createServer(log, tls);
  servers.push(app);
  return app;
}

test("with a certificate the server speaks HTTPS", async () => {
  const app = start({ cert, key });
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
  const app = start(undefined);
  const state = { stopping: false };
  closeWhenStopping(app, () => state.stopping);
  app.get("/", async () => "answer");
  expect((await app.inject("/")).headers["connection"]).not.toBe("close");
  state.stopping = true;
  expect((await app.inject("/")).headers["connection"]).toBe("close");
});

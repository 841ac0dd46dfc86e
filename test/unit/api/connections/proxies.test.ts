import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../../../../src/api/connections/limits.js";
import { problemDocuments } from "../../../../src/api/plugins/problem-documents.js";
import { schemaValidation } from "../../../../src/api/plugins/validation.js";
import { metricsRoute } from "../../../../src/api/rest/system/metrics.js";
import { createServer } from "../../../../src/api/server.js";
import { parseProxy } from "../../../../src/domain/clients.js";
import { serve } from "./served.js";

const PROXIES = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"].map((text) => {
  const block = parseProxy(text);
  if (block === undefined) throw new Error(`${text} is no proxy`);
  return block;
});

function appWith(trustedProxies: typeof PROXIES) {
  const app = createServer(pino({ level: "silent" }), { trustedProxies });
  problemDocuments(app, () => undefined);
  schemaValidation(app);
  app.get("/ip", async (request) => request.ip);
  const metrics = { contentType: "text/plain", text: async () => "metrics" };
  app.decorateRequest("caller", undefined);
  metricsRoute(app, metrics);
  const ask = (url: string, remoteAddress: string, forwarded?: string) =>
    app.inject({
      url,
      remoteAddress,
      ...(forwarded !== undefined && { headers: { "x-forwarded-for": forwarded } }),
    });
  return { app, ask };
}

describe("with proxies", () => {
  const { app, ask } = appWith(PROXIES);
  afterAll(() => app.close());

  test.each([
    ["no proxy is not believed", "192.0.2.1", "198.51.100.9", "192.0.2.1"],
    ["a proxy is", "10.0.0.1", "198.51.100.9", "198.51.100.9"],
    ["an IPv6 socket's IPv4 proxy is", "::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"],
    ["an IPv6 proxy is", "2001:db8::5", "2001:db9::1", "2001:db9::1"],
    ["what the client itself claimed is not", "10.0.0.1", "1.1.1.1, 192.0.2.7", "192.0.2.7"],
    ["a claim to be a proxy is not", "10.0.0.1", "1.1.1.1, 10.9.9.9, 192.0.2.7", "192.0.2.7"],
    ["proxies one after the other", "10.0.0.1", "192.0.2.7, 10.2.2.2, 127.0.0.1", "192.0.2.7"],
    ["a proxy that says nothing is itself", "10.0.0.1", undefined, "10.0.0.1"],
  ])("%s", async (_what, remote, forwarded, ip) => {
    expect((await ask("/ip", remote, forwarded)).body).toBe(ip);
  });

  test.each([
    ["this host itself", "127.0.0.1", undefined, 200],
    ["through a proxy on this host", "127.0.0.1", "192.0.2.7", 401],
    ["through it, with a claim to be this host", "127.0.0.1", "127.0.0.1", 401],
    ["through another, with such a claim", "10.0.0.1", "127.0.0.1", 401],
    ["through two", "10.0.0.1", "127.0.0.1, 127.0.0.1", 401],
  ])("metrics for %s", async (_what, remote, forwarded, status) => {
    expect((await ask("/metrics", remote, forwarded)).statusCode).toBe(status);
  });
});

test("without proxies nobody is believed", async () => {
  const { app, ask } = appWith([]);
  expect((await ask("/ip", "127.0.0.1", "192.0.2.7")).body).toBe("127.0.0.1");
  await app.close();
});

describe("a proxy's connections", () => {
  const bounds = { total: 40, perAddress: 2, unfinishedPerAddress: 1, idlePerAddress: 1 };
  let served: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    served = await serve({ ...USUAL_LIMITS, ...bounds, sweepMs: 20 }, false, PROXIES);
  });
  afterAll(async () => {
    served.app.connections.closeAll();
    await served.app.close();
  });

  test("are as many as it likes, where another's are bounded", async () => {
    const proxied = await Promise.all(Array.from({ length: 8 }, () => served.connect()));
    const from = "127.0.0.2";
    const others = [await served.connect({ from }), await served.connect({ from })];
    const closed = () => others.map((client) => client.isClosed());
    await expect.poll(closed, { timeout: 20_000 }).toEqual([true, false]);
    expect(proxied.some((client) => client.isClosed())).toBe(false);
  });
});

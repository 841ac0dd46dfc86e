import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { operationIds, routeEntry } from "../../../src/api/rest/route-table.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

describe.each(answerEngines)("the platform's side on $name", (engine) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi(engine);
  });
  afterAll(() => api.stop());

  const anonymous = (url: string, headers = {}) =>
    api.call(undefined, "GET", url, undefined, { headers });

  describe("events", () => {
    test("tell a tenant what happened to its own, in order, and go on from nextAfter", async () => {
      const one = await api.createTenantWithKey("admin");
      const other = await api.createTenantWithKey("admin");
      const start = (await api.call(one.token, "GET", "/v1/events?limit=1000")).body.nextAfter;
      const vpc = await api.createVpc(one.token, "10.0.0.0/16");
      await api.createVpc(other.token, "10.0.0.0/16");
      await api.call(one.token, "DELETE", `/v1/vpcs/${vpc}`);
      const { body } = await api.call(one.token, "GET", `/v1/events?after=${start}`);
      const actor = { kind: "access-key", tenantId: one.tenantId, accessKeyId: one.keyId };
      expect(body.items).toMatchObject([
        { actor, resource: { type: "vpc", id: vpc }, action: "create", before: null },
        { actor, resource: { type: "vpc", id: vpc }, action: "delete", after: null },
      ]);
      const [first, second] = body.items;
      expect(first.id).toBeLessThan(second.id);
      expect(body.nextAfter).toBe(second.id);
      const end = await api.call(one.token, "GET", `/v1/events?after=${body.nextAfter}`);
      expect(end.body).toEqual({ items: [], nextAfter: body.nextAfter });
      const page = await api.call(one.token, "GET", `/v1/events?after=${start}&limit=1`);
      expect(page.body).toEqual({ items: [first], nextAfter: first.id });
    });

    test("show another tenant's actor without its key", async () => {
      const red = await api.createTenantWithKey("admin");
      const blue = await api.createTenantWithKey("admin");
      const requesterVpcId = await api.createVpc(red.token, "10.1.0.0/16");
      const accepterVpcId = await api.createVpc(blue.token, "10.2.0.0/16");
      const request = { requesterVpcId, accepterVpcId, accepterTenantId: blue.tenantId };
      const { body: peering } = await api.call(red.token, "POST", "/v1/vpc-peerings", request);
      const { body } = await api.call(blue.token, "GET", "/v1/events?limit=1000");
      const events = body.items.filter(
        (event: { resource: { id: string } }) => event.resource.id === peering.id,
      );
      const actor = { kind: "access-key", tenantId: red.tenantId, accessKeyId: null };
      expect(events).toMatchObject([{ actor, after: "pending-acceptance" }]);
    });
  });

  describe("the data plane", () => {
    test("is shown and compared, bridge by bridge", async () => {
      const { token } = await api.createTenantWithKey("admin");
      const vpcId = await api.createVpc(token, "10.0.0.0/16");
      const programmed = async () => {
        const { body } = await api.call(api.operatorToken, "GET", "/v1/data-plane");
        expect(body.backend).toBe("noop");
        const found = body.bridges.find((bridge: { vpcId: string }) => bridge.vpcId === vpcId);
        return found !== undefined && found.observedGeneration === found.generation;
      };
      await expect.poll(programmed, { timeout: 5000, interval: 20 }).toBe(true);
      const url = "/v1/data-plane/reconcile";
      const dry = await api.call(api.operatorToken, "POST", url, { dryRun: true, vpcId });
      expect(dry).toMatchObject({ status: 200, body: { applied: false } });
      for (const bridge of dry.body.bridges) {
        const { missing, changed, unexpected, foreign } = bridge;
        expect([missing, changed, unexpected, foreign]).toEqual([[], [], [], []]);
      }
      for (const body of [undefined, {}, { dryRun: true }, { dryRun: false }]) {
        const tried = await api.call(api.operatorToken, "POST", `${url}?dryRun=true`, body);
        expect(tried).toMatchObject({
          status: 200,
          body: { dryRun: true, body: { applied: false } },
        });
      }
      const byBody = await api.call(api.operatorToken, "POST", `${url}?dryRun=false`, {
        dryRun: true,
      });
      expect(byBody).toMatchObject({ status: 200, body: { applied: false } });
      const wet = await api.call(api.operatorToken, "POST", url);
      expect(wet).toMatchObject({ status: 200, body: { applied: true } });
      const unknown = { vpcId: "vpc-0123456789abcdef0" };
      const none = await api.call(api.operatorToken, "POST", url, unknown);
      expect(none).toMatchObject({ status: 404, body: { code: "InvalidVpcID.NotFound" } });
    });
  });

  describe("operations", () => {
    test("alive and ready, with the checks", async () => {
      expect(await anonymous("/livez")).toMatchObject({ status: 200, body: { status: "alive" } });
      const { status, body } = await anonymous("/readyz");
      expect({ status, ready: body.status }).toEqual({ status: 200, ready: "ready" });
      const names = body.checks.map((check: { name: string }) => check.name);
      expect(names).toEqual(["process", "database reads", "database writes", "switch", "writes"]);
    });

    test("metrics are for this host and for the operator", async () => {
      const local = await anonymous("/metrics");
      expect(local.status).toBe(200);
      for (const name of [
        "patchbay_http_request_duration_seconds_bucket",
        "patchbay_reconcile_passes_total",
        "patchbay_switch_up 0",
        'patchbay_backend_info{backend="noop"} 1',
        'patchbay_http_connections{phase="unfinished"} 0',
        'patchbay_http_connections_closed_total{reason="room"} 0',
      ]) {
        expect(local.body).toContain(name);
      }
      const remote = (headers: Record<string, string>) =>
        api.app.inject({ url: "/metrics", remoteAddress: "192.0.2.1", headers });
      const admin = await api.createTenantWithKey("admin");
      expect((await remote({})).statusCode).toBe(401);
      expect((await remote({ authorization: `Bearer ${admin.token}` })).statusCode).toBe(403);
      const operator = await remote({ authorization: `Bearer ${api.operatorToken}` });
      expect(operator.statusCode).toBe(200);
      const signs = ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-proto"];
      for (const sign of signs) {
        expect((await anonymous("/metrics", { [sign]: "127.0.0.1" })).status).toBe(401);
      }
    });

    test("a request id comes back; a harmful one does not", async () => {
      const kept = await anonymous("/livez", { "x-request-id": "trace-0123456789" });
      expect(kept.headers["x-request-id"]).toBe("trace-0123456789");
      expect(api.logged()).toContain('"requestId":"trace-0123456789"');
      const replaced = await anonymous("/livez", { "x-request-id": "bad id {}" });
      expect(replaced.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    });
  });

  describe("the description", () => {
    test("has every route, with its errors as problem documents", async () => {
      const { body } = await anonymous("/openapi.json");
      expect(body.openapi).toMatch(/^3\.1\./);
      expect(body.servers).toEqual([{ url: "/" }]);
      for (const operation of operationIds()) {
        const { method, url, access } = routeEntry(operation);
        const described = body.paths[url.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
        expect(described?.operationId, `${method} ${url}`).toBe(operation);
        const open = access === "anybody";
        expect(described.security).toEqual(open ? [] : [{ bearer: [] }]);
        if (!open) expect(described.responses["401"]).toBeDefined();
        for (const [status, response] of Object.entries<{ content: object }>(described.responses)) {
          if (Number(status) < 400) continue;
          expect(Object.keys(response.content)).toEqual(["application/problem+json"]);
        }
      }
    });

    test("says in which states an action on a peering is legal, and for whom", async () => {
      const { paths } = (await anonymous("/openapi.json")).body;
      const one = paths["/v1/vpc-peerings/{id}"];
      const [accept, reject] = ["accept", "reject"].map(
        (action) => paths[`/v1/vpc-peerings/{id}/${action}`].post.description,
      );
      expect(accept).toContain("Legal in: pending-acceptance (accepter).");
      expect(accept).toContain("Already done in: provisioning, active.");
      expect(reject).toContain("Legal in: pending-acceptance (accepter).");
      expect(one.delete.description).toContain(
        "Legal in: pending-acceptance (requester), provisioning (requester, accepter), active (requester, accepter).",
      );
    });

    test("refers to nothing that is not there", async () => {
      const { body } = await anonymous("/openapi.json");
      const references = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
      expect(references.length).toBeGreaterThan(50);
      for (const [, name] of references) {
        expect(Object.keys(body.components.schemas)).toContain(name);
      }
    });

    test("is put into words once for all who ask", async () => {
      const { body } = await anonymous("/openapi.json");
      const worded = vi.spyOn(JSON, "stringify");
      const forPages = await anonymous("/docs/json");
      const descriptions = worded.mock.calls.filter(([value]) => value?.openapi !== undefined);
      expect(descriptions).toEqual([]);
      expect(forPages.body).toEqual(body);
      expect(forPages.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect((await anonymous("/docs/yaml")).body).toMatch(/^openapi: 3\.1\./);
    });

    test("is browsable, with everything from here", async () => {
      const { status, body, headers } = await anonymous("/docs/");
      expect(status).toBe(200);
      expect(body).not.toMatch(/(src|href)="https?:/);
      expect(headers["content-security-policy"]).toContain("default-src 'self'");
      expect((await anonymous("/docs/static/swagger-ui-bundle.js")).status).toBe(200);
    });
  });

  test("the rate limit is per credential and says when to come back", async () => {
    const limited = await startTestApi(engine, { rateLimits: { perKey: 5 } });
    try {
      const { token } = await limited.createTenantWithKey("viewer");
      const whoami = (who: string) => limited.call(who, "GET", "/v1/whoami");
      const answers = await Promise.all(Array.from({ length: 20 }, () => whoami(token)));
      const refused = answers.filter((answer) => answer.status === 429);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused[0]?.body.code).toBe("TooManyRequests");
      expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
      expect((await whoami(limited.operatorToken)).status).toBe(200);
      const allowed = async () => (await whoami(token)).status;
      await expect.poll(allowed, { timeout: 5000, interval: 100 }).toBe(200);

      const guesses: number[] = [];
      for (let i = 0; i < 20; i += 1) guesses.push((await whoami("guess")).status);
      expect(new Set(guesses)).toEqual(new Set([401, 429]));
    } finally {
      await limited.stop();
    }
  });
});

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const PER_KEY = 5;
const PER_TENANT = 8;
const UNKNOWN_KEY = "AKPBAAAAAAAAAAAAAAAA.guessed";

interface Tokens {
  readonly good: string;
  readonly revoked: string;
  readonly suspended: string;
}

interface Kind {
  readonly url?: string;
  readonly method?: "GET" | "POST";
  readonly token?: (tokens: Tokens) => string;
  readonly headers?: Record<string, string>;
  readonly payload?: string;
  /** What is answered as long as the address is within its limit; any refusal but 429 unless told. */
  readonly status?: number;
}

const WHOAMI = "/v1/whoami";

/** All that somebody without a valid credential can ask for and have work done. */
const KINDS: Record<string, Kind> = {
  "no credential": { status: 401 },
  "an unknown key": { token: () => UNKNOWN_KEY, status: 401 },
  "a known key with a wrong secret": { token: ({ good }) => `${good}x`, status: 401 },
  "a revoked key": { token: ({ revoked }) => revoked, status: 401 },
  "a key of a suspended tenant": { token: ({ suspended }) => suspended, status: 401 },
  "a guess of the operator's token": { token: () => "pbop_guess", status: 401 },
  "a malformed token": { token: () => "..", status: 401 },
  "another scheme": { headers: { authorization: "Basic dXNlcjpwYXNz" }, status: 401 },
  "metrics without a credential": { url: "/metrics", status: 401 },
  "metrics with a bad one": { url: "/metrics", token: () => UNKNOWN_KEY, status: 401 },
  "the description": { url: "/openapi.json", status: 200 },
  "the description with a bad credential": {
    url: "/openapi.json",
    token: () => UNKNOWN_KEY,
    status: 200,
  },
  "the pages": { url: "/docs/", status: 200 },
  "what the pages load": { url: "/docs/static/index.css", status: 200 },
  "the pages' description": { url: "/docs/json", status: 200 },
  "a path that is not there": { url: "/wp-login.php", status: 404 },
  "one that is not there under /v1": { url: "/v1/nothing", status: 404 },
  "a method that is not there": { url: "/openapi.json", method: "POST" },
  "a path that cannot be read": { url: "/v1/%zz", status: 400 },
  "a body that cannot be read": {
    url: "/v1/vpcs",
    method: "POST",
    payload: "{",
    headers: { "content-type": "application/json" },
    status: 401,
  },
};

const [pglite] = databaseEngines;
if (pglite === undefined) throw new Error("no database to test on");

describe("rate limits", () => {
  let api: TestApi;
  let tokens: Tokens;
  let tenantId: string;
  let statements = 0;
  let ms = 0;
  let addresses = 0;
  let address: string;

  beforeAll(async () => {
    api = await startTestApi(pglite, {
      rateLimits: { perKey: PER_KEY, perTenant: PER_TENANT, now: () => ms },
      onStatement: () => {
        statements += 1;
      },
      sweeping: false,
    });
    const good = await api.createTenantWithKey("admin");
    tenantId = good.tenantId;
    const revoked = await api.addKey(good.tenantId, "viewer");
    ms += 1000;
    const suspended = await api.createTenantWithKey("admin");
    const { operatorToken: operator } = api;
    const key = `/v1/tenants/${good.tenantId}/access-keys/${revoked.keyId}`;
    expect((await api.call(operator, "DELETE", key)).status).toBe(204);
    const path = `/v1/tenants/${suspended.tenantId}`;
    expect((await api.call(operator, "PATCH", path, { suspended: true })).status).toBe(200);
    tokens = { good: good.token, revoked: revoked.token, suspended: suspended.token };
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    ms += 1000;
    statements = 0;
    addresses += 1;
    address = `192.0.2.${addresses}`;
  });

  async function ask(kind: Partial<Kind>, remoteAddress = address) {
    const { url = WHOAMI, method = "GET", token, headers, payload } = kind;
    const bearer = token && { authorization: `Bearer ${token(tokens)}` };
    const body = payload !== undefined && { payload };
    const sent = { ...headers, ...bearer };
    return api.app.inject({ url, method, headers: sent, remoteAddress, ...body });
  }
  const good: Partial<Kind> = { token: (all) => all.good };

  test.each(Object.keys(KINDS))("%s counts against the address", async (name) => {
    const kind = KINDS[name] ?? {};
    const statuses: number[] = [];
    for (let i = 0; i < PER_KEY; i += 1) statuses.push((await ask(kind)).statusCode);
    if (kind.status === undefined) expect(statuses).not.toContain(429);
    else expect(statuses).toEqual(Array(PER_KEY).fill(kind.status));
    const refused = await ask(kind);
    expect(refused.statusCode).toBe(429);
    expect(refused.json().code).toBe("TooManyRequests");
    expect(refused.headers["retry-after"]).toBe("1");
    expect(statements, "statements made for it").toBe(0);

    expect((await ask({})).statusCode, "others without a credential there").toBe(429);
    expect((await ask({}, "192.0.2.200")).statusCode, "elsewhere").toBe(401);
    const known = await Promise.all(Array.from({ length: PER_KEY }, () => ask(good)));
    expect(new Set(known.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    expect((await ask(good)).statusCode).toBe(429);
    expect((await ask(good, "192.0.2.201")).statusCode, "the key's limit is one").toBe(429);
    expect(statements, "a known key costs none either").toBe(0);
  });

  test("a known key is served everywhere, whatever its address has used up", async () => {
    for (let i = 0; i <= PER_KEY; i += 1) await ask({});
    for (const [url, status] of [
      ["/openapi.json", 200],
      ["/docs/", 200],
      ["/v1/nothing", 404],
      ["/v1/%zz", 400],
      ["/metrics", 403],
    ] as const) {
      expect((await ask({ ...good, url })).statusCode, url).toBe(status);
    }
    expect((await ask({ ...good, url: "/openapi.json" })).statusCode).toBe(429);
  });

  test("whoever watches the daemon is always answered", async () => {
    for (let i = 0; i < 3 * PER_KEY; i += 1) await ask({});
    for (let i = 0; i < 3 * PER_KEY; i += 1) {
      expect((await ask({ url: "/livez" })).statusCode).toBe(200);
      expect((await ask({ url: "/readyz" })).statusCode).toBe(200);
    }
  });

  test("metrics are read from this host although its address is used up", async () => {
    const here = "127.0.0.1";
    for (let i = 0; i <= PER_KEY; i += 1) await ask({}, here);
    expect((await ask({}, here)).statusCode).toBe(429);
    const statuses: number[] = [];
    for (let i = 0; i <= PER_KEY; i += 1) {
      statuses.push((await ask({ url: "/metrics" }, here)).statusCode);
    }
    expect(statuses).toEqual([...Array(PER_KEY).fill(200), 429]);
  });

  test("an expectation that cannot be met counts against the address", async () => {
    const url = await api.app.listen({ host: "127.0.0.1", port: 0 });
    const statuses: Array<number | undefined> = [];
    for (let i = 0; i <= PER_KEY; i += 1) {
      const call = request(`${url}/openapi.json`, { headers: { expect: "cake" }, agent: false });
      const [answer] = (await once(call.end(), "response")) as [IncomingMessage];
      statuses.push(answer.resume().statusCode);
    }
    expect(statuses).toEqual([...Array(PER_KEY).fill(417), 429]);
    expect((await ask({}, "127.0.0.1")).statusCode).toBe(429);
  });

  test("a /64 of IPv6 is one client", async () => {
    const statuses: number[] = [];
    for (let i = 0; i <= PER_KEY; i += 1) {
      statuses.push((await ask({}, `2001:db8:0:1::${i + 1}`)).statusCode);
    }
    expect(statuses).toEqual([...Array(PER_KEY).fill(401), 429]);
    expect((await ask({}, "2001:db8:0:2::1")).statusCode).toBe(401);
  });

  test("the keys of a tenant share its limit, and nobody else's", async () => {
    const second = (await api.addKey(tenantId, "viewer")).token;
    const other = await api.createTenantWithKey("viewer");
    const passed = async (token: string) => {
      const asked = Array.from({ length: 2 * PER_TENANT }, () => ask({ token: () => token }));
      const answers = await Promise.all(asked);
      return answers.filter(({ statusCode }) => statusCode === 200).length;
    };
    expect(await passed(tokens.good)).toBe(PER_KEY);
    expect(await passed(second)).toBe(PER_TENANT - PER_KEY);
    expect(await passed(other.token)).toBe(PER_KEY);
    ms += 1000;
    expect(await passed(second), "what was refused has used up nothing").toBe(PER_KEY);
  });
});

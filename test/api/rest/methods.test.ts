import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operationIds, routeEntry } from "../../../src/api/rest/route-table.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type RawAnswer, type RawAsk, rawHttp } from "../../support/raw-http.js";

const PROBLEM = /^application\/problem\+json/;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** Known to HTTP, and taken nowhere. */
const FOREIGN = ["TRACE", "PROPFIND", "MKCOL", "LOCK", "PURGE", "SEARCH", "REPORT", "UNLINK"];

/** What each path of the table takes, in the order in which it is told. */
const TAKEN = new Map<string, string[]>();
for (const id of operationIds()) {
  const { method, url } = routeEntry(id);
  const taken = [...(TAKEN.get(url) ?? []), ...(method === "GET" ? ["GET", "HEAD"] : [method])];
  TAKEN.set(
    url,
    METHODS.filter((each) => taken.includes(each)),
  );
}

/** Bodies of which a route would say something else first. */
const BODIES = [
  {},
  { body: "{", headers: { "content-type": "application/json" } },
  { body: "{}", headers: { "content-type": "application/json" } },
  { body: '{"a":1}', headers: { "content-type": "text/plain" } },
  { body: "x", headers: {} },
  { body: Buffer.from([0x1f, 0x8b]), headers: { "content-encoding": "gzip" } },
];

describe.each(answerEngines)("methods that a path does not take, on $name", (engine) => {
  let api: TestApi;
  let ask: RawAsk;
  let token: string;
  beforeAll(async () => {
    api = await startTestApi(engine);
    ask = await rawHttp(api.app);
    ({ token } = await api.createTenantWithKey("admin"));
  });
  afterAll(() => api.stop());

  const pathOf = (url: string) => url.replaceAll(/:\w+/g, "x");

  function expectNotAllowed(answer: RawAnswer, method: string, taken: readonly string[]): void {
    expect(answer.status, method).toBe(405);
    expect(answer.headers.allow).toBe([...taken, "OPTIONS"].join(", "));
    expect(answer.headers["content-type"]).toMatch(PROBLEM);
    const document = { status: 405, code: "MethodNotAllowed", detail: expect.any(String) };
    if (method === "HEAD") expect(answer.text).toBe("");
    else expect(JSON.parse(answer.text)).toMatchObject(document);
    const words = `takes ${taken.join(", ")}, and not ${method}`;
    if (method !== "HEAD") expect(answer.text).toContain(words);
  }

  test.each([...TAKEN])("%s takes %j", async (url, taken) => {
    const path = pathOf(url);
    const others = METHODS.filter((method) => !taken.includes(method));
    for (const method of [...others, "PROPFIND"]) {
      for (const bearer of [{}, { authorization: `Bearer ${token}` }]) {
        expectNotAllowed(await ask({ method, path, headers: bearer }), method, taken);
      }
    }
    const options = await ask({ method: "OPTIONS", path });
    expect(options).toMatchObject({ status: 204, text: "" });
    expect(options.headers.allow).toBe([...taken, "OPTIONS"].join(", "));
  });

  test("are refused as such, whatever is sent with them", async () => {
    for (const sent of BODIES) {
      for (const method of ["PUT", "DELETE", "OPTIONS", ...FOREIGN]) {
        const { body, headers } = { body: undefined, headers: {}, ...sent };
        const request = { method, path: "/v1/vpcs", headers, ...(body !== undefined && { body }) };
        const answer = await ask(request);
        if (method === "OPTIONS") expect(answer.status).toBe(204);
        else expectNotAllowed(answer, method, ["GET", "HEAD", "POST"]);
      }
    }
  });

  test("are 404 where there is nothing, whatever is sent with them", async () => {
    for (const sent of BODIES) {
      for (const method of [...METHODS, "OPTIONS", ...FOREIGN]) {
        const { body, headers } = { body: undefined, headers: {}, ...sent };
        const request = {
          method,
          path: "/v1/nothing",
          headers,
          ...(body !== undefined && { body }),
        };
        const answer = await ask(request);
        expect(answer.status, `${method} ${JSON.stringify(sent)}`).toBe(404);
        expect(answer.headers.allow).toBeUndefined();
        if (method === "HEAD") continue;
        expect(JSON.parse(answer.text)).toMatchObject({ code: "NotFound" });
      }
    }
  });

  test.each([
    ["/docs", ["GET", "HEAD"]],
    ["/docs/", ["GET", "HEAD"]],
    ["/docs/json", ["GET", "HEAD"]],
    ["/docs/static/index.css", ["GET", "HEAD"]],
    ["/v1/vpcs?limit=1", ["GET", "HEAD", "POST"]],
    ["/v1/%76pcs", ["GET", "HEAD", "POST"]],
    ["/v1/vpcs/a%2fb", ["GET", "HEAD", "PATCH", "DELETE"]],
  ])("%s takes %j, however it is written", async (path, taken) => {
    const url = path.split("?", 1)[0];
    const { headers, status, text } = await ask({ method: "PUT", path });
    expect(status).toBe(405);
    expect(headers.allow).toBe([...taken, "OPTIONS"].join(", "));
    expect(JSON.parse(text)).toMatchObject({ instance: url });
  });

  test("OPTIONS of the server itself tells all, and nothing else is asked of it", async () => {
    const options = await ask({ method: "OPTIONS", path: "*" });
    expect(options.status).toBe(204);
    expect(options.headers.allow).toBe([...METHODS, "OPTIONS"].join(", "));
    for (const method of ["PUT", "PROPFIND"]) {
      expect((await ask({ method, path: "*" })).status).toBe(404);
    }
  });

  test.each(["PUT", "PROPFIND", "OPTIONS"])("%s of what is no path", async (method) => {
    for (const path of ["/%zz", "/v1/vpcs/%ff", "x"]) {
      expect((await ask({ method, path })).status, path).toBe(400);
    }
    const longest = await ask({ method, path: `/v1/vpcs/${"x".repeat(5000)}` });
    expect(longest.status).toBeLessThan(500);
  });
});

describe.each(answerEngines)("methods beyond the limit, on $name", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi(engine, { rateLimits: { perKey: 2, perTenant: 0 } });
  });
  afterAll(() => api.stop());

  test.each(["PUT", "OPTIONS"] as const)("%s is counted", async (method) => {
    const statuses: number[] = [];
    for (let each = 0; each < 6; each += 1) {
      statuses.push((await api.app.inject({ method, url: "/v1/vpcs" })).statusCode);
    }
    expect(statuses).toContain(429);
  });
});

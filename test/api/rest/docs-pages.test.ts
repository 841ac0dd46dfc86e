import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type RawAsk, rawHttp } from "../../support/raw-http.js";

const FILE = "/docs/static/index.css";
const PROBLEM = /^application\/problem\+json/;

/** Ways out of the folder, and names of nothing in it. */
const PATHS = [
  "..%5c..%5cpackage.json",
  "..%2f..%2fpackage.json",
  "..%2Fpackage.json",
  "../package.json",
  "../../../../etc/passwd",
  "..\\..\\package.json",
  "%2e%2e/package.json",
  "%2e%2e%2fpackage.json",
  "%252e%252e%252fpackage.json",
  "..%252fpackage.json",
  ".%2e/.%2e/package.json",
  "x/..%2f..%2fpackage.json",
  "./index.css",
  ".//index.css",
  "/index.css",
  "//index.css",
  "%00",
  "index.css%00",
  "%00/../../package.json",
  "index.css/",
  "index.css/x",
  "INDEX.CSS",
  "a%0ab",
  "a%20b",
  ".",
  "..",
  "%2e",
  "",
  "/",
  ".git/config",
  "x".repeat(199),
  "x".repeat(256),
  "x".repeat(5000),
  "x/".repeat(2500),
  "%78".repeat(1000),
  "%F0%9F%98%80".repeat(100),
  "c:%5cwindows%5cwin.ini",
  "%5c%5chost%5cshare",
  "index.css%3f",
  "index.css%23x",
  "con",
];

const THERE = ["/docs/", "/docs/static/"];

/** What no path can be read from is refused wherever it is asked. */
const UNREADABLE = ["..%c0%afpackage.json", "%ff", "%zz", "%"];

describe.each(answerEngines)("the pages of the description, on $name", (engine) => {
  let api: TestApi;
  let ask: RawAsk;
  beforeAll(async () => {
    api = await startTestApi(engine);
    ask = await rawHttp(api.app);
  });
  afterAll(() => api.stop());

  test.each(["GET", "HEAD"])("%s of what is not there or outside is 404", async (method) => {
    for (const prefix of ["/docs/static/", "/docs/"]) {
      for (const rest of PATHS) {
        const path = `${prefix}${rest}`;
        if (THERE.includes(path)) continue;
        const { status, headers, text } = await ask({ method, path });
        expect({ path, status }).toEqual({ path, status: 404 });
        expect(headers["content-type"]).toMatch(PROBLEM);
        expect(text).not.toMatch(/node_modules|dependencies|root:|\/home|ENO/);
        if (method === "GET") expect(JSON.parse(text)).toMatchObject({ code: "NotFound" });
      }
    }
    expect(api.logged()).not.toContain("request failed");
  });

  test.each(UNREADABLE)("%s cannot be read", async (rest) => {
    const { status, text } = await ask({ path: `/docs/static/${rest}` });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ code: "ValidationError" });
  });

  test.each([
    [{ range: "bytes=999999999-" }, 416, "RangeNotSatisfiable"],
    [{ "if-match": '"another"' }, 412, "PreconditionFailed"],
    [{ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }, 412, "PreconditionFailed"],
  ])("a condition that is not met: %j is %i", async (headers, status, code) => {
    const answer = await ask({ path: FILE, headers });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toMatch(PROBLEM);
    expect(JSON.parse(answer.text)).toMatchObject({ code, status, instance: FILE });
  });

  test("a range beyond the end is told where the end is", async () => {
    const { headers } = await ask({ path: FILE, headers: { range: "bytes=999999999-" } });
    expect(headers["content-range"]).toMatch(/^bytes \*\/[0-9]+$/);
  });

  test.each([
    [{ range: "bytes=0-9" }, 206],
    [{ range: "lines=1-" }, 200],
    [{ "if-none-match": "*" }, 304],
    [{ "if-modified-since": "yesterday" }, 200],
  ])("a condition that is met: %j is %i", async (headers, status) => {
    expect((await ask({ path: FILE, headers })).status).toBe(status);
  });
});

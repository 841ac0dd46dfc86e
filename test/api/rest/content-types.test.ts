import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type RawAnswer, type RawAsk, rawHttp } from "../../support/raw-http.js";

const VPC = JSON.stringify({ cidrBlock: "10.0.0.0/16" });
const JSON_TYPE = { "content-type": "application/json" };
const ACCEPT = "/v1/vpc-peerings/pcx-0123456789abcdef0/accept";

describe.each(answerEngines)("what bodies come as, on $name", (engine) => {
  let api: TestApi;
  let ask: RawAsk;
  let bearer: { authorization: string };
  beforeAll(async () => {
    api = await startTestApi(engine);
    ask = await rawHttp(api.app);
    bearer = { authorization: `Bearer ${(await api.createTenantWithKey("admin")).token}` };
  });
  afterAll(() => api.stop());

  const send = (
    body: Buffer | string,
    headers: Record<string, string>,
    [method, path]: readonly [string, string] = ["POST", "/v1/vpcs"],
  ) => ask({ method, path, body, headers: { ...bearer, ...headers } });

  async function expectNotTaken(
    { status, text, headers }: RawAnswer,
    expected: { detail: RegExp; headers: Record<string, string> },
  ): Promise<void> {
    expect(status, text).toBe(415);
    const detail = expect.stringMatching(expected.detail);
    expect(JSON.parse(text)).toMatchObject({ code: "UnsupportedMediaType", detail });
    expect(headers).toMatchObject(expected.headers);
    expect(await api.context.db.vpc.count()).toBe(0);
  }

  test.each([
    ["GET", "a", ""],
    ["GET", "text/plain", "{"],
    ["GET", "application/json; charset=latin1", "{"],
    ["HEAD", "a", ""],
  ])("mean nothing of %s, though called %j", async (method, type, body) => {
    const headers = { "content-type": type, "content-encoding": "gzip" };
    const { status, text } = await send(body, headers, [method, "/v1/vpcs"]);
    expect(status, text).toBe(200);
  });

  describe("an encoding", () => {
    const wanted = { "accept-encoding": "identity" };

    test.each(["gzip", "GZIP", "x-gzip", "br", "deflate", "identity, gzip", "none", "*"])(
      "%s is refused, and what is taken told",
      async (coding) => {
        const headers = { ...JSON_TYPE, "content-encoding": coding };
        const detail = /^The body is encoded with .*without any encoding/;
        await expectNotTaken(await send(VPC, headers), { detail, headers: wanted });
        await expectNotTaken(await send(gzipSync(VPC), headers), { detail, headers: wanted });
      },
    );

    test.each([
      ["PATCH", "/v1/vpcs/vpc-0123456789abcdef0"],
      ["DELETE", "/v1/vpcs/vpc-0123456789abcdef0"],
      ["POST", ACCEPT],
      ["POST", "/v1/reachability"],
    ] as const)("is refused of %s %s", async (...call) => {
      const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
      const answer = await send(gzipSync("{}"), headers, call);
      await expectNotTaken(answer, { detail: /gzip/, headers: wanted });
    });

    test("needs a credential to be told", async () => {
      const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
      const answer = await ask({ method: "POST", path: "/v1/vpcs", body: VPC, headers });
      expect(answer.status).toBe(401);
    });

    test.each(["identity", "Identity", "", "identity, identity"])("%j is none", async (coding) => {
      const { status, text } = await send("{}", { ...JSON_TYPE, "content-encoding": coding });
      expect([status, JSON.parse(text).code]).toEqual([400, "ValidationError"]);
    });

    test("of no body is nothing that could be refused", async () => {
      const path = "/v1/vpcs";
      const headers = { ...bearer, "content-encoding": "gzip" };
      expect((await ask({ path, headers })).status).toBe(200);
      expect((await send("", { "content-encoding": "gzip" }, ["POST", ACCEPT])).status).toBe(404);
    });

    test("of the transfer is another matter", async () => {
      const transfer = { ...JSON_TYPE, "transfer-encoding": "gzip, chunked" };
      const request = { method: "POST", path: "/v1/vpcs", headers: { ...bearer, ...transfer } };
      const { status, text } = await ask(request);
      expect([status, JSON.parse(text).code]).toEqual([501, "NotImplemented"]);
      const chunked = { ...JSON_TYPE, "transfer-encoding": "Chunked" };
      expect((await ask({ ...request, headers: { ...bearer, ...chunked } })).status).toBe(400);
    });
  });

  describe("a content type", () => {
    test.each([
      "text/plain",
      "application/xml",
      "application/x-www-form-urlencoded",
      "application/merge-patch+json",
      "application/jsonx",
      "text/json",
      "application/json; charset=iso-8859-1",
      'application/json; charset="utf-16"',
      "application/json;charset=latin1; q=1",
      "json",
      "application/",
      "",
      "x".repeat(2000),
    ])("%s is refused, and what is taken told", async (type) => {
      await expectNotTaken(await send(VPC, { "content-type": type }), {
        detail: /^The body is of type .*application\/json in UTF-8/,
        headers: { accept: "application/json", "accept-post": "application/json" },
      });
    });

    test("is what a change's answer tells, too", async () => {
      const call = ["PATCH", "/v1/vpcs/vpc-0123456789abcdef0"] as const;
      await expectNotTaken(await send("{}", { "content-type": "application/yaml" }, call), {
        detail: /yaml/,
        headers: { accept: "application/json", "accept-patch": "application/json" },
      });
      const { headers } = await ask({ method: "OPTIONS", path: call[1] });
      expect(headers).toMatchObject({ "accept-patch": "application/json" });
      expect(headers["accept-post"]).toBeUndefined();
    });

    test("that is missing is said to be", async () => {
      const answer = await send(VPC, {});
      const headers = { accept: "application/json" };
      await expectNotTaken(answer, { detail: /has no content type.*application\/json/, headers });
    });

    test.each([
      "application/json",
      "Application/JSON",
      "application/json; charset=utf-8",
      'application/json;charset="UTF-8"',
      "application/json; charset=utf8",
      "application/json; version=1",
    ])("%s is taken", async (type) => {
      const { status, text } = await send("{}", { "content-type": type });
      expect([status, JSON.parse(text).code]).toEqual([400, "ValidationError"]);
    });

    test.each(["text/plain", "application/x-www-form-urlencoded"])(
      "%s of an empty body is of none",
      async (type) => {
        expect((await send("", { "content-type": type }, ["POST", ACCEPT])).status).toBe(404);
      },
    );
  });
});

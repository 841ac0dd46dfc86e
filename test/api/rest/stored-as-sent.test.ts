import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { type RawAsk, rawHttp } from "../../support/raw-http.js";

const JSON_TYPE = { "content-type": "application/json" };
const E_ACUTE = { composed: "\u00e9", decomposed: "e\u0301" };

/** Texts that somebody may tidy up on the way. */
const TEXTS = [
  " leading and trailing ",
  "\ttab\nnew line\r\n",
  "\u0001\u001f\u007f\u0080",
  "\u00a0\u2003\u200b\u2028\u2029\ufeff",
  E_ACUTE.composed,
  E_ACUTE.decomposed,
  "\u202eright to left",
  "\ud83d\udc69\u200d\ud83d\udc67",
  "\ufffd",
  "null",
  "<script>&amp;%00+",
  "\\u0000 \\ \" '",
  "'; DROP TABLE vpc; --",
];

/** Names that objects have by themselves, or put in an order of their own. */
const NAMES = [
  ...["constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"],
  ...["2", "10", "1", "-1", "01", "length", "a/b~c", "a.b", "$ref", "tag:x", "a=b&c"],
];

describe.each(databaseEngines)("what a client sends, on $name", (engine) => {
  let api: TestApi;
  let ask: RawAsk;
  let token: string;
  let bearer: { authorization: string };
  beforeAll(async () => {
    api = await startTestApi(engine);
    ask = await rawHttp(api.app);
    ({ token } = await api.createTenantWithKey("admin"));
    bearer = { authorization: `Bearer ${token}` };
  });
  afterAll(() => api.stop());

  const postVpc = async (body: Buffer | string, headers: Record<string, string> = {}) => {
    const sent = { ...bearer, ...JSON_TYPE, ...headers };
    const { status, text } = await ask({ method: "POST", path: "/v1/vpcs", body, headers: sent });
    return { status, body: JSON.parse(text) };
  };
  const get = async (path: string) => {
    const { status, text } = await ask({ path, headers: bearer });
    return { status, body: JSON.parse(text) };
  };

  test("texts are kept, to the last bit", async () => {
    const tags = Object.fromEntries(TEXTS.map((text, index) => [`${text}${index}`, text]));
    const made = await postVpc(JSON.stringify({ cidrBlock: "10.0.0.0/16", name: TEXTS[0], tags }));
    expect(made).toMatchObject({ status: 201, body: { name: TEXTS[0] } });
    const { body } = await get(`/v1/vpcs/${made.body.id}`);
    expect(body.tags).toEqual(tags);
    for (const name of TEXTS) {
      const patched = await api.call(token, "PATCH", `/v1/vpcs/${made.body.id}`, { name });
      expect(patched.body.name).toBe(name);
    }
  });

  test("names are kept, whatever objects have of that name", async () => {
    const tags = Object.fromEntries(NAMES.map((name) => [name, `of ${name}`]));
    const made = await postVpc(JSON.stringify({ cidrBlock: "10.0.0.0/16", tags }));
    expect(made.status).toBe(201);
    const { body } = await get(`/v1/vpcs/${made.body.id}`);
    expect(Object.entries(body.tags).sort()).toEqual(Object.entries(tags).sort());
    for (const name of NAMES) {
      const filter = `tag:${encodeURIComponent(name)}=${encodeURIComponent(`of ${name}`)}`;
      const found = await get(`/v1/vpcs?${filter}`);
      expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([made.body.id]);
    }
  });

  test("what looks alike is not the same", async () => {
    const { composed, decomposed } = E_ACUTE;
    const tags = { [composed]: "composed", [decomposed]: "decomposed" };
    const made = await postVpc(JSON.stringify({ cidrBlock: "10.0.0.0/16", tags }));
    expect((await get(`/v1/vpcs/${made.body.id}`)).body.tags).toEqual(tags);
    const found = await get(`/v1/vpcs?tag:${encodeURIComponent(decomposed)}=composed`);
    expect(found.body.items).toEqual([]);
  });

  test("a byte order mark is no part of it", async () => {
    const bom = Buffer.from([0xef, 0xbb, 0xbf]);
    const body = Buffer.concat([bom, Buffer.from('{"cidrBlock":"10.0.0.0/16","name":"x\ufeff"}')]);
    expect(await postVpc(body)).toMatchObject({ status: 201, body: { name: "x\ufeff" } });
  });

  const named = (bytes: readonly number[]) =>
    Buffer.concat([
      Buffer.from('{"cidrBlock":"10.0.0.0/16","name":"'),
      Buffer.from(bytes),
      Buffer.from('"}'),
    ]);
  const vpc = (rest: string) => `{"cidrBlock":"10.0.0.0/16",${rest}}`;

  test.each<[string, Buffer | string, string, RegExp]>([
    ["a byte that is none of UTF-8", named([0xff]), "", /not valid UTF-8/],
    ["latin1", named([0xe9]), "", /not valid UTF-8/],
    ["an overlong form", named([0xc0, 0xaf]), "", /not valid UTF-8/],
    ["half a pair in UTF-8", named([0xed, 0xa0, 0x80]), "", /not valid UTF-8/],
    ["a character that is cut off", named([0xf0, 0x9f, 0x91]), "", /not valid UTF-8/],
    ["UTF-16", Buffer.from("{}", "utf16le"), "", /not valid JSON/],
    ["half a pair, escaped", vpc('"name":"\\ud800"'), "/name", /Unicode/],
    ["a NUL", vpc('"name":"\\u0000"'), "/name", /Unicode/],
    ["a byte order mark in front of a text", vpc('"name":"\ufeffx"'), "/name", /byte order mark/],
    ["a NUL in a name", vpc('"tags":{"\\u0000":"x"}'), "/tags/\0", /Unicode/],
    ["a control character that is not escaped", vpc('"name":"\u0001"'), "", /not valid JSON/],
    ["a field twice", vpc('"name":"a","name":"b"'), "/name", /more than once/],
    ["a field twice, escaped", vpc('"name":"a","n\\u0061me":"a"'), "/name", /more than once/],
    ["a tag twice", vpc('"tags":{"a/b":"1","a/b":"2"}'), "/tags/a~1b", /more than once/],
    ["a name that cannot be had", vpc('"tags":{"__proto__":"x"}'), "/tags/__proto__", /this name/],
    ["a field of that name", vpc('"__proto__":{"name":"x"}'), "/__proto__", /this name/],
    ["a number too large", vpc('"name":1e999'), "/name", /exactly/],
    ["a number that is rounded", vpc('"name":9007199254740993'), "/name", /exactly/],
    [
      "levels without end",
      "[".repeat(30_000) + "]".repeat(30_000),
      /^(\/0){32}$/.source,
      /32 levels/,
    ],
    ["two texts", '{"cidrBlock":"10.0.0.0/16"}{}', "", /not valid JSON/],
    ["a comment", '{"cidrBlock":"10.0.0.0/16"/* */}', "", /not valid JSON/],
    ["no number of JSON", vpc('"name":NaN'), "", /not valid JSON/],
    ["white space alone", "  \n", "", /not valid JSON/],
  ])("%s is refused for what it is", async (_what, sent, pointer, detail) => {
    const before = await api.context.db.vpc.count();
    const { status, body } = await postVpc(sent);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "ValidationError" });
    expect(body.errors[0].detail).toMatch(detail);
    if (pointer.startsWith("^")) expect(body.errors[0].pointer).toMatch(new RegExp(pointer));
    else expect(body.errors[0].pointer).toBe(pointer);
    expect(await api.context.db.vpc.count()).toBe(before);
  });

  test("a number of a rule is what was written, or refused", async () => {
    const vpcId = await api.createVpc(token, "10.0.0.0/16");
    const { body: group } = await api.call(token, "POST", "/v1/security-groups", {
      vpcId,
      name: "numbers",
    });
    const path = `/v1/security-groups/${group.id}/rules`;
    const rule = (port: string) =>
      `{"direction":"ingress","protocol":"tcp","fromPort":${port},"toPort":80,"cidrBlock":"10.0.0.0/8"}`;
    const headers = { ...bearer, ...JSON_TYPE };
    for (const port of ["80.00000000000000000001", "8e-999", "9007199254740993"]) {
      const refused = await ask({ method: "POST", path, headers, body: rule(port) });
      expect(refused.status, port).toBe(400);
      expect(JSON.parse(refused.text).errors).toMatchObject([{ pointer: "/fromPort" }]);
    }
    const made = await ask({ method: "POST", path, headers, body: rule("8.0e1") });
    expect(JSON.parse(made.text)).toMatchObject({ fromPort: 80, toPort: 80 });
  });

  test.each([
    ["tag:a=%ff", "tag:a"],
    ["tag:a=%c0%af", "tag:a"],
    ["tag:a=%ed%a0%80", "tag:a"],
    ["tag:a=%zz", "tag:a"],
    ["tag:a=%", "tag:a"],
    ["tag:a=1&tag:%e9=1", "tag:%e9"],
    ["limit=1&cursor=%a", "cursor"],
    ["vpcId=%ff", "vpcId"],
  ])("a query that can be read only by a guess: %s", async (query, parameter) => {
    for (const path of ["/v1/subnets", "/v1/vpc-peerings"]) {
      const { status, body } = await get(`${path}?${query}`);
      expect(status).toBe(400);
      expect(body.errors).toMatchObject([
        { parameter, in: "query", detail: expect.stringMatching(/UTF-8/) },
      ]);
    }
  });

  test.each(["tag:a=\u00e9", "tag:a=\u00ff"])("bytes in a URL as they are: %j", async (query) => {
    const latin1 = await get(`/v1/vpcs?${query}`);
    expect(latin1).toMatchObject({ status: 400, body: { code: "ValidationError" } });
  });

  test.each([
    ["idempotency-key", ["one", "two"]],
    ["idempotency-key", ["one", "one"]],
    ["authorization", ["Bearer one", "Bearer two"]],
    ["content-type", ["application/json", "text/plain"]],
    ["host", ["one", "two"]],
    ["last-event-id", ["1", "2"]],
  ])("a header that means one thing, and comes twice: %s %j", async (name, values) => {
    const before = await api.context.db.vpc.count();
    const headers = { ...bearer, ...JSON_TYPE, [name]: values };
    const body = '{"cidrBlock":"10.0.0.0/16"}';
    const { status, text } = await ask({ method: "POST", path: "/v1/vpcs", headers, body });
    expect(status).toBe(400);
    expect(JSON.parse(text).errors).toEqual([
      { pointer: `/${name}`, detail: "is given more than once", parameter: name, in: "header" },
    ]);
    expect(await api.context.db.vpc.count()).toBe(before);
  });

  test.each(["#tag:a=b", "#tag:a=%ff", "?limit=1#", "#"])(
    "no part of a URL that is sent: %j",
    async (rest) => {
      const path = `/v1/vpcs${rest}`;
      const { status, body } = await get(path);
      expect(status).toBe(400);
      expect(body).toMatchObject({
        detail: expect.stringMatching(/^A #.*%23/),
        errors: [{ pointer: "" }],
      });
      const { body: vpc } = await postVpc('{"cidrBlock":"10.0.0.0/16"}');
      const asked = { method: "DELETE", path: `/v1/vpcs/${vpc.id}${rest}`, headers: bearer };
      expect((await ask(asked)).status).toBe(400);
      expect((await get(`/v1/vpcs/${vpc.id}`)).status).toBe(200);
    },
  );

  test("a plus in a query is a space, and %2B a plus", async () => {
    const tags = { sum: "1 + 1" };
    const made = await postVpc(JSON.stringify({ cidrBlock: "10.0.0.0/16", tags }));
    for (const [text, count] of [
      ["1+%2B+1", 1],
      ["1%20%2b%201", 1],
      ["1+++1", 0],
    ] as const) {
      const { body } = await get(`/v1/vpcs?tag:sum=${text}`);
      expect(body.items.map(({ id }: { id: string }) => id)).toEqual(
        Array(count).fill(made.body.id),
      );
    }
  });

  test.each(["caf\u00e9", "\u00ff", "tab\there"])(
    "an idempotency key %j is refused",
    async (key) => {
      const body = JSON.stringify({ cidrBlock: "10.0.0.0/16" });
      const refused = await postVpc(body, { "idempotency-key": key });
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toMatchObject([{ parameter: "idempotency-key", in: "header" }]);
    },
  );
});

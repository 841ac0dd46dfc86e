import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

const JSON_TYPE = { "content-type": "application/json" };
const ENI = "eni-0123456789abcdef0";
const VPC = "vpc-0123456789abcdef0";
const TABLE = "/v1/route-tables/rtb-0123456789abcdef0";
const ROUTE_FIELDS = ["/destinationCidrBlock", "/vpcPeeringId"];

/** Of a call in the API description. */
interface Described {
  readonly requestBody?: { readonly required?: boolean };
}

const IDS: Readonly<Record<string, string>> = {
  tenants: "000000000000",
  vpcs: VPC,
  subnets: "subnet-0123456789abcdef0",
  "network-interfaces": ENI,
  "security-groups": "sg-0123456789abcdef0",
  "vpc-peerings": "pcx-0123456789abcdef0",
};

/** A path of the API description, with ids of what is not there. */
function withIds(path: string): string {
  return path
    .replace("{keyId}", "AKPBAAAAAAAAAAAAAAAA")
    .replace(/([a-z-]+)\/\{id\}/, (_, kind: string) => `${kind}/${IDS[kind]}`);
}

describe.each(answerEngines)("bad input on $name", (engine) => {
  let api: TestApi;
  let token: string;

  beforeAll(async () => {
    api = await startTestApi(engine);
    ({ token } = await api.createTenantWithKey("admin"));
  });
  afterAll(() => api.stop());

  const post = (url: string, body: unknown) => api.call(token, "POST", url, body);
  const raw = (rawBody: string, headers: Record<string, string> = JSON_TYPE) =>
    api.call(token, "POST", "/v1/vpcs", undefined, { rawBody, headers });

  function expectProblem(answer: Answer, status: number, code: string): void {
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: `urn:patchbay:problem:${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      instance: expect.stringMatching(/^\//),
    });
  }

  async function expectNothingStored(): Promise<void> {
    const { db } = api.context;
    const counts = [db.vpc.count(), db.subnet.count(), db.networkInterface.count()];
    expect(await Promise.all([...counts, db.vpcPeering.count()])).toEqual([0, 0, 0, 0]);
  }

  describe("bodies", () => {
    test.each([
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", colour: "red" }, ["/colour"]],
      ["/v1/vpcs", { cidrBlock: 10, name: 5 }, ["/name", "/cidrBlock"]],
      ["/v1/vpcs", {}, ["/cidrBlock"]],
      ["/v1/vpcs", [], [""]],
      ["/v1/vpcs", "10.0.0.0/16", [""]],
      ["/v1/vpcs", null, [""]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", name: "x".repeat(256) }, ["/name"]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", name: "nul\0" }, ["/name"]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: { k: "\ud800" } }, ["/tags/k"]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: { k: 1 } }, ["/tags/k"]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: { "": "v" } }, ["/tags/"]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: { k: "v".repeat(257) } }, ["/tags/k"]],
      ["/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: [] }, ["/tags"]],
      ["/v1/subnets", { vpcId: ENI, cidrBlock: "10.0.0.0/24" }, ["/vpcId"]],
      ["/v1/subnets", { vpcId: `${VPC}\n`, cidrBlock: "10.0.0.0/24" }, ["/vpcId"]],
      ["/v1/network-interfaces", { subnetId: VPC }, ["/subnetId"]],
      ["/v1/vpc-peerings", { requesterVpcId: VPC, accepterVpcId: ENI }, ["/accepterVpcId"]],
      ["/v1/route-tables", { vpcId: ENI, main: true }, ["/vpcId", "/main"]],
      ["/v1/route-tables", {}, ["/vpcId"]],
      [`${TABLE}/routes`, { destinationCidrBlock: "10.1.0.0/16" }, ["/vpcPeeringId"]],
      [`${TABLE}/routes`, { destinationCidrBlock: 5, vpcPeeringId: VPC }, ROUTE_FIELDS],
      [`${TABLE}/associations`, { subnetId: null }, ["/subnetId"]],
      [`${TABLE}/associations`, undefined, [""]],
      [`/v1/vpcs/${VPC}/cidr-blocks`, { cidrBlock: "10.1.0.0/16", primary: true }, ["/primary"]],
      [`/v1/vpcs/${VPC}/cidr-blocks`, {}, ["/cidrBlock"]],
      [
        "/v1/vpc-peerings",
        { requesterVpcId: VPC, accepterVpcId: VPC, accepterTenantId: "12", autoRoutes: "yes" },
        ["/accepterTenantId", "/autoRoutes"],
      ],
    ])("%s with %j", async (url, body, pointers) => {
      const answer = await post(url, body);
      expectProblem(answer, 400, "ValidationError");
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(
        pointers,
      );
      await expectNothingStored();
    });

    test("at most 50 tags", async () => {
      const tags = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
      const answer = await post("/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: tags(51) });
      expectProblem(answer, 400, "ValidationError");
      expect(answer.body.errors[0].pointer).toBe("/tags");
      const fits = await post("/v1/vpcs", { cidrBlock: "10.0.0.0/16", tags: tags(50) });
      expect(fits.status).toBe(201);
      await api.call(token, "DELETE", `/v1/vpcs/${fits.body.id}`);
    });

    test.each([
      ["broken JSON", "{"],
      ["a poisoned prototype", '{"__proto__":{"admin":true},"cidrBlock":"10.0.0.0/16"}'],
      ["deep JSON", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
      [
        "deep tags",
        `{"cidrBlock":"10.0.0.0/16","tags":${'{"a":'.repeat(9000)}1${"}".repeat(9000)}}`,
      ],
      ["nothing where something is needed", ""],
    ])("%s", async (_, body) => {
      expectProblem(await raw(body), 400, "ValidationError");
      await expectNothingStored();
    });

    test("more than 64 KiB, and just below", async () => {
      const body = (size: number) => JSON.stringify({ cidrBlock: "x".repeat(size) });
      expectProblem(await raw(body(65_536)), 413, "PayloadTooLarge");
      expectProblem(await raw(body(65_000)), 400, "ValidationError");
    });

    test.each(["text/plain", "application/xml", "application/x-www-form-urlencoded"])(
      "content type %s",
      async (type) => {
        expectProblem(await raw("x=1", { "content-type": type }), 415, "UnsupportedMediaType");
      },
    );

    test("an empty body is none, with and without a content type", async () => {
      const url = `/v1/vpc-peerings/pcx-0123456789abcdef0/accept`;
      for (const headers of [{}, JSON_TYPE]) {
        const answer = await api.call(token, "POST", url, undefined, { rawBody: "", headers });
        expectProblem(answer, 404, "InvalidVpcPeeringConnectionID.NotFound");
      }
    });

    test("a body of which nothing is needed may be left out, as the description says", async () => {
      const { body: description } = await api.call(undefined, "GET", "/openapi.json");
      const lenient = Object.entries<Record<string, Described>>(description.paths).flatMap(
        ([path, methods]) =>
          Object.entries(methods)
            .filter(([, { requestBody }]) => requestBody?.required === false)
            .map(([method]) => ({ method: method.toUpperCase() as "POST" | "PATCH", path })),
      );
      expect(lenient.length).toBeGreaterThan(8);
      for (const { method, path } of lenient) {
        const answer = await api.call(token, method, withIds(path));
        expect([200, 403, 404], `${method} ${path}`).toContain(answer.status);
      }
    });

    test("a body where none is taken", async () => {
      const answer = await api.call(token, "DELETE", `/v1/vpcs/${VPC}`, { force: true });
      expectProblem(answer, 400, "ValidationError");
    });
  });

  describe("paths and queries", () => {
    test.each([
      ["/v1/vpcs/eni-0123456789abcdef0", "id", "path"],
      ["/v1/vpcs/vpc-0123456789ABCDEF0", "id", "path"],
      ["/v1/vpcs/..%2f..%2fetc", "id", "path"],
      ["/v1/subnets/x", "id", "path"],
      ["/v1/tenants/12/access-keys", "id", "path"],
      ["/v1/vpcs?limit=0", "limit", "query"],
      ["/v1/vpcs?limit=1001", "limit", "query"],
      ["/v1/vpcs?limit=ten", "limit", "query"],
      ["/v1/vpcs?limit=1&limit=2", "limit", "query"],
      ["/v1/vpcs?limt=1", "limt", "query"],
      ["/v1/vpcs?toString=1", "toString", "query"],
      ["/v1/vpc-peerings?constructor=1", "constructor", "query"],
      ["/v1/vpcs?cursor=forged", "cursor", "query"],
      ["/v1/vpcs?cursor=eyJsaXN0IjoidnBjcyIsImFmdGVyIjowfQ", "cursor", "query"],
      ["/v1/vpcs?tag:=x", "tag:", "query"],
      ["/v1/vpcs?tag:a=%00", "tag:a", "query"],
      ["/v1/subnets?vpcId=subnet-1", "vpcId", "query"],
      [`${TABLE}x`, "id", "path"],
      ["/v1/route-tables?vpcId=x", "vpcId", "query"],
      ["/v1/route-tables?tag:a=b", "tag:a", "query"],
      ["/v1/route-tables?cursor=forged", "cursor", "query"],
      ["/v1/vpc-peerings?state=done", "state", "query"],
      ["/v1/vpc-peerings?role=owner", "role", "query"],
      ["/v1/events?after=-1", "after", "query"],
      ["/v1/events?tag:a=b", "tag:a", "query"],
    ])("GET %s names the parameter %s", async (url, parameter, place) => {
      const answer = await api.call(token, "GET", url);
      expectProblem(answer, 400, "ValidationError");
      expect(answer.body.errors).toMatchObject([
        { parameter, in: place, pointer: `/${parameter}` },
      ]);
    });

    test("at most 50 filters by tags", async () => {
      const query = (count: number) =>
        Array.from({ length: count }, (_, index) => `tag:k${index}=v`).join("&");
      for (const list of ["vpcs", "subnets", "network-interfaces", "vpc-peerings"]) {
        const answer = await api.call(token, "GET", `/v1/${list}?${query(51)}`);
        expectProblem(answer, 400, "ValidationError");
        expect(answer.body.errors).toMatchObject([{ parameter: "tag:k50", in: "query" }]);
      }
      expect((await api.call(token, "GET", `/v1/vpcs?${query(50)}`)).status).toBe(200);
    });

    test.each(["10.0.0.0", "10.0.0.1/16", "10.0.0.0/33", "fd00::/48", "x", "10.0.0.0/16/", "%00"])(
      "a block in a path: %j",
      async (text) => {
        for (const path of [`/v1/vpcs/${VPC}/cidr-blocks`, `${TABLE}/routes`]) {
          const url = `${path}/${encodeURIComponent(text)}`;
          const answer = await api.call(token, "DELETE", url);
          expectProblem(answer, 400, "ValidationError");
          expect(answer.body.errors).toMatchObject([{ parameter: "cidr", in: "path" }]);
        }
      },
    );

    test.each(["31", "-1", "x", "1e1", ""])("?wait=%s", async (wait) => {
      const path = "/v1/vpc-peerings/pcx-0123456789abcdef0";
      const answer = await api.call(token, "DELETE", `${path}?wait=${wait}`);
      expectProblem(answer, 400, "ValidationError");
      expect(answer.body.errors).toMatchObject([{ parameter: "wait" }]);
    });

    test.each(["/v1/vpcs/%zz", "/%"])("a path that cannot be read: %s", async (url) => {
      expectProblem(await api.call(token, "GET", url), 400, "ValidationError");
    });

    test("a path parameter without end", async () => {
      const answer = await api.call(token, "GET", `/v1/vpcs/${"x".repeat(5000)}`);
      expect([400, 404]).toContain(answer.status);
      expectProblem(answer, answer.status, answer.status === 400 ? "ValidationError" : "NotFound");
    });

    test.each([
      ["GET", "/v2/vpcs"],
      ["GET", "/"],
    ] as const)("what is not built is 404: %s %s", async (method, url) => {
      expectProblem(await api.call(token, method, url), 404, "NotFound");
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operationIds, routeEntry } from "../../../src/api/rest/route-table.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type RawAnswer, type RawAsk, rawHttp } from "../../support/raw-http.js";

const PAGES = ["/docs", "/docs/", "/docs/json", "/docs/yaml", "/docs/static/index.css", "/docs/x"];
const STREAM = "/v1/events/stream";
const UNKNOWN = [
  ...["/v1/nothing", "/v1/tenants/000000000000", "/v1/vpcs?limt=1", "/v1/vpcs?limit=0"],
  ...["/%zz", "/v1/events?after=999999", `${STREAM}?after=999999`, `${STREAM}?after=x`],
];

/** Other each time, whatever is asked. */
const PASSING = ["date", "x-request-id"];
/** What they answer is of the moment, and so is its length. */
const OF_THE_MOMENT = ["/metrics", "/readyz"];

describe.each(answerEngines)("HEAD, on $name", (engine) => {
  let api: TestApi;
  let ask: RawAsk;
  let token: string;
  let resources: ReadonlyMap<string, string>;

  beforeAll(async () => {
    api = await startTestApi(engine);
    ask = await rawHttp(api.app);
    const { token: owner, tenantId } = await api.createTenantWithKey("admin");
    token = owner;
    const made = async (path: string, body: object): Promise<string> => {
      const answer = await api.call(token, "POST", `/v1/${path}`, body);
      expect(answer.status).toBe(201);
      return answer.body.id;
    };
    const vpcId = await api.createVpc(token, "10.0.0.0/16");
    const subnetId = await made("subnets", { vpcId, cidrBlock: "10.0.1.0/24" });
    const group = await made("security-groups", { vpcId, name: "web" });
    resources = new Map([
      ["tenants", tenantId],
      ["vpcs", vpcId],
      ["subnets", subnetId],
      ["network-interfaces", await made("network-interfaces", { subnetId })],
      ["route-tables", await made("route-tables", { vpcId })],
      ["security-groups", group],
    ]);
  });
  afterAll(() => api.stop());

  const gets = operationIds()
    .map((id) => routeEntry(id))
    .filter(({ method, url }) => method === "GET" && url !== STREAM)
    .map(({ url }) => url);

  /** Of the tenant's own where it has one; of none where it has not. */
  function pathOf(url: string): string {
    const kind = url.split("/")[2] ?? "";
    return url
      .replace(":id", resources.get(kind) ?? "pcx-0123456789abcdef0")
      .replace(":ruleId", "sgr-0123456789abcdef0");
  }

  const tokens = () => [undefined, token, `${token}x`, api.operatorToken];
  const asBearer = (bearer: string | undefined): Record<string, string> =>
    bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };

  function lasting({ headers }: RawAnswer, path: string) {
    const kept = Object.entries(headers).filter(([name]) => !PASSING.includes(name));
    const isOfTheMoment = OF_THE_MOMENT.includes(path);
    return kept.map(([name, value]) =>
      isOfTheMoment && name === "content-length" ? [name, "some"] : [name, value],
    );
  }

  test.each([...gets, ...PAGES, ...UNKNOWN])("of %s is GET without a body", async (url) => {
    const path = pathOf(url);
    for (const bearer of tokens()) {
      const headers = asBearer(bearer);
      const get = path.startsWith(STREAM) ? undefined : await ask({ path, headers });
      const head = await ask({ method: "HEAD", path, headers });
      expect(head.text).toBe("");
      if (get === undefined) expect(head.status).toBeGreaterThanOrEqual(400);
      else {
        expect(head.status).toBe(get.status);
        expect(lasting(head, path)).toEqual(lasting(get, path));
      }
    }
  });

  test("of every path reaches more than refusals", async () => {
    const statuses = await Promise.all(
      gets.map(async (url) => {
        const path = pathOf(url);
        const bearer = path.startsWith("/v1/tenants") || path === "/v1/data-plane";
        const headers = asBearer(bearer ? api.operatorToken : token);
        return [url, (await ask({ method: "HEAD", path, headers })).status];
      }),
    );
    const refused = statuses.filter(([, status]) => status !== 200).map(([url]) => url);
    expect(refused.sort()).toEqual([
      "/v1/security-groups/:id/rules/:ruleId",
      "/v1/vpc-peerings/:id",
      "/v1/vpc-peerings/:id/flows",
    ]);
  });

  test("of the event stream opens none", async () => {
    const headers = asBearer(token);
    const most = api.context.quotas.streamsPerKey;
    for (let each = 0; each <= most; each += 1) {
      const head = await ask({ method: "HEAD", path: STREAM, headers });
      expect(head.status).toBe(200);
      expect(head.headers["content-type"]).toBe("text/event-stream");
      expect(head.headers["content-length"]).toBeUndefined();
    }
    const gone = await ask({ method: "HEAD", path: `${STREAM}?after=999999`, headers });
    expect(gone.status).toBe(410);
    expect((await ask({ method: "HEAD", path: STREAM })).status).toBe(401);
  });

  test("is counted by its route", async () => {
    const { body } = await api.call(api.operatorToken, "GET", "/metrics");
    expect(body).toMatch(/_count\{method="HEAD",route="\/v1\/vpcs",status="200"\} [1-9]/);
  });
});

describe.each(answerEngines)("HEAD beyond the limit, on $name", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi(engine, { rateLimits: { perKey: 2, perTenant: 0 } });
  });
  afterAll(() => api.stop());

  test("is refused as GET is", async () => {
    const statuses: number[] = [];
    for (let each = 0; each < 6; each += 1) {
      const head = await api.app.inject({ method: "HEAD", url: "/openapi.json" });
      statuses.push(head.statusCode);
    }
    expect(statuses).toContain(429);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

const VPC = "vpc-0123456789abcdef0";
const GROUP = "/v1/security-groups/sg-0123456789abcdef0";
const OTHER_VPC = "vpc-0123456789abcdef1";
/** How the validator would say it. */
const JARGON = /received|undefined|invalid input|invalid_|zod|discriminator|too (big|small)/i;

type Call = readonly [method: "GET" | "POST" | "PATCH" | "DELETE", url: string, body?: unknown];

describe.each(answerEngines)("what refusals say, on $name", (engine) => {
  let api: TestApi;
  let token: string;
  let tenantId: string;
  beforeAll(async () => {
    api = await startTestApi(engine);
    ({ token, tenantId } = await api.createTenantWithKey("admin"));
  });
  afterAll(() => api.stop());

  const send = ([method, url, body]: Call): Promise<Answer> => api.call(token, method, url, body);
  const said = ({ body }: Answer) =>
    Object.fromEntries(
      body.errors.map(({ pointer, detail }: Record<string, string>) => [pointer, detail]),
    );

  test.each([
    [["POST", "/v1/vpcs", {}], { "/cidrBlock": "is missing" }],
    [["POST", "/v1/vpcs"], { "": "is missing" }],
    [["POST", "/v1/subnets", {}], { "/vpcId": "is missing", "/cidrBlock": "is missing" }],
    [["POST", `${GROUP}/rules`, {}], { "/direction": "is missing", "/protocol": "is missing" }],
    [
      ["POST", "/v1/reachability", {}],
      { "/from": "is missing", "/to": "is missing", "/protocol": "is missing" },
    ],
    [
      ["PATCH", "/v1/vpc-peerings/pcx-0123456789abcdef0/options", {}],
      {
        "/allowDnsResolutionFromRemoteVpc": "is missing",
      },
    ],
  ] as const)("of what is missing: %j", async (call, expected) => {
    const answer = await send(call as unknown as Call);
    expect(answer.status).toBe(400);
    expect(said(answer)).toEqual(expected);
    expect(JSON.stringify(answer.body)).not.toMatch(JARGON);
  });

  const cidrBlock = "10.0.0.0/16";
  test.each([
    [["POST", "/v1/vpcs", []], { "": "expected an object, not an array" }],
    [["POST", "/v1/vpcs", "x"], { "": "expected an object, not a string" }],
    [["POST", "/v1/vpcs", { cidrBlock: 5 }], { "/cidrBlock": "expected a string, not a number" }],
    [["POST", "/v1/vpcs", { cidrBlock: null }], { "/cidrBlock": "expected a string, not null" }],
    [
      ["POST", "/v1/vpcs", { cidrBlock, name: "x".repeat(256) }],
      { "/name": "expected at most 255 characters" },
    ],
    [["POST", "/v1/vpcs", { cidrBlock: "" }], { "/cidrBlock": "expected at least 1 character" }],
    [
      ["POST", "/v1/vpcs", { cidrBlock, tags: [] }],
      { "/tags": "expected an object, not an array" },
    ],
    [
      ["POST", "/v1/vpcs", { cidrBlock, tags: { k: true } }],
      { "/tags/k": "expected a string, not true" },
    ],
    [
      ["POST", "/v1/vpcs", { cidrBlock, tags: { "": "v" } }],
      { "/tags/": "expected at least 1 character" },
    ],
    [
      ["POST", `${GROUP}/rules`, { direction: "in", protocol: "sctp" }],
      {
        "/direction": 'expected "ingress" or "egress"',
        "/protocol": expect.stringMatching(/^expected "tcp"/),
      },
    ],
    [
      [
        "POST",
        `${GROUP}/rules`,
        { direction: "ingress", protocol: "tcp", fromPort: 1.5, toPort: 1e9 },
      ],
      {
        "/fromPort": "expected a whole number, not a fraction",
        "/toPort": "expected at most 65535",
      },
    ],
    [
      [
        "POST",
        "/v1/vpc-peerings",
        { requesterVpcId: VPC, accepterVpcId: OTHER_VPC, autoRoutes: "no" },
      ],
      { "/autoRoutes": "expected true or false, not a string" },
    ],
    [["GET", "/v1/vpc-peerings?role=owner"], { "/role": 'expected "requester" or "accepter"' }],
    [["GET", "/v1/vpcs?limit=1&limit=2"], { "/limit": "is given more than once" }],
    [
      ["GET", "/v1/vpc-peerings?role=requester&role=accepter"],
      { "/role": "is given more than once" },
    ],
    [["GET", "/v1/vpcs?tag:a=1&tag:a=2"], { "/tag:a": "is given more than once" }],
    [
      ["GET", `/v1/vpcs?tag:${"k".repeat(129)}=v`],
      {
        [`/tag:${"k".repeat(129)}`]: "expected at most 128 characters",
      },
    ],
  ] as const)("of what is wrong: %j", async (call, expected) => {
    const answer = await send(call as unknown as Call);
    expect(answer.status).toBe(400);
    expect(said(answer)).toEqual(expected);
    expect(JSON.stringify(answer.body)).not.toMatch(JARGON);
  });

  test.each(["admin", "", "a longer text"])("of a list, a text is not one: %j", async (roles) => {
    const answer = await send(["POST", `/v1/tenants/${tenantId}/access-keys`, { roles }]);
    expect(answer.body.errors).toEqual([
      { pointer: "/roles", detail: "expected an array, not a string" },
    ]);
  });

  test.each([`/v1/vpcs/${VPC}/cidr-blocks`, "/v1/route-tables/rtb-0123456789abcdef0/routes"])(
    "the slash of a block is encoded: %s",
    async (path) => {
      const bare = await send(["DELETE", `${path}/10.1.0.0/16?dryRun=true`]);
      expect(bare).toMatchObject({ status: 404, body: { code: "NotFound" } });
      expect(bare.body.detail).toContain(`written %2F, as in ${path}/10.1.0.0%2F16.`);
      const elsewhere = await send(["DELETE", "/v1/elsewhere/10.1.0.0/16"]);
      expect(elsewhere.body.detail).toBe("There is nothing at /v1/elsewhere/10.1.0.0/16.");
    },
  );

  test("a MAC address has a form", async () => {
    const vpcId = await api.createVpc(token, "10.3.0.0/16");
    const subnet = await send(["POST", "/v1/subnets", { vpcId, cidrBlock: "10.3.0.0/24" }]);
    const eni = { subnetId: subnet.body.id, macAddress: "02-00-00-00-00-01" };
    const answer = await send(["POST", "/v1/network-interfaces", eni]);
    expect(said(answer)["/macAddress"]).toMatch(/with colons, such as 02:00:00:00:00:01$/);
  });

  test("of an event nobody can count to, no other is named", async () => {
    const answer = await send(["GET", `/v1/events?after=${"9".repeat(30)}`]);
    expect(answer.body.detail).toMatch(/^There is no such event: the newest is [0-9]+\./);
  });

  test("a list's element that is wrong is named by its place", async () => {
    const url = `/v1/tenants/${tenantId}/access-keys`;
    const answer = await send(["POST", url, { roles: ["viewer", "king", null] }]);
    expect(Object.keys(said(answer))).toEqual(["/roles/1", "/roles/2"]);
    expect(JSON.stringify(answer.body)).not.toMatch(JARGON);
  });

  test("a VPC that is not the caller's: the tenant may have been forgotten", async () => {
    const requesterVpcId = await api.createVpc(token, "10.1.0.0/16");
    const other = await api.createTenantWithKey("admin");
    const foreign = await api.createVpc(other.token, "10.2.0.0/16");
    const ask = (accepterVpcId: string, named: object = {}) =>
      send(["POST", "/v1/vpc-peerings", { requesterVpcId, accepterVpcId, ...named }]);
    for (const accepterVpcId of [foreign, OTHER_VPC]) {
      const refused = await ask(accepterVpcId);
      expect(refused).toMatchObject({ status: 404, body: { code: "InvalidVpcID.NotFound" } });
      expect(said(refused)).toEqual({
        "/accepterVpcId": `you have no VPC ${accepterVpcId}; name the tenant of a VPC that is not your own in accepterTenantId`,
      });
    }
    const named = await ask(OTHER_VPC, { accepterTenantId: tenantId });
    expect(named.body.detail).toBe(`you have no VPC ${OTHER_VPC}`);
    expect((await ask(foreign, { accepterTenantId: other.tenantId })).status).toBe(201);
  });

  test("the operator is told whose key it takes", async () => {
    const answer = await api.call(api.operatorToken, "POST", "/v1/vpcs", { cidrBlock });
    expect(answer).toMatchObject({ status: 403, body: { code: "Forbidden" } });
    expect(answer.body.detail).toContain("access key of the tenant");
  });

  test("without a switch nobody is told that there is one", async () => {
    const { body } = await api.call(undefined, "GET", "/readyz");
    const message = expect.stringMatching(/^none: .*nothing is programmed/);
    expect(body.checks).toContainEqual({ name: "switch", ok: true, message });
    const metrics = await api.call(api.operatorToken, "GET", "/metrics");
    expect(metrics.body).toContain("patchbay_switch_up 0");
  });
});

describe.each(answerEngines)("of a switch, on $name", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi(engine, { backend: { kind: "ovs" } });
  });
  afterAll(() => api.stop());

  test("that can be worked with, nothing more is said", async () => {
    const { body } = await api.call(undefined, "GET", "/readyz");
    expect(body.checks).toContainEqual({ name: "switch", ok: true });
    const metrics = await api.call(api.operatorToken, "GET", "/metrics");
    expect(metrics.body).toContain("patchbay_switch_up 1");
  });
});

import { fastify } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onlyTabledRoutes } from "../../../src/api/plugins/route-guard.js";
import { type OperationId, operationIds, routeEntry } from "../../../src/api/rest/route-table.js";
import type { TenantRole } from "../../../src/domain/permissions.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

interface World {
  readonly tenant: string;
  readonly accessKey: string;
  readonly vpc: string;
  readonly subnet: string;
  readonly eni: string;
  readonly table: string;
  readonly group: string;
  readonly rule: string;
  readonly peering: string;
}

interface Expected {
  /** The path parameters. */
  readonly params?: (world: World) => Record<string, string>;
  readonly body?: (world: World) => unknown;
  /**
   * What an admin of another tenant gets; "nothing" is an empty list, "own" its own answer, and
   * "own stream" one without an end.
   */
  readonly stranger: 403 | 404 | "nothing" | "own" | "own stream";
  /** Somebody of the owning tenant, or the operator, who sees it and may not do it. */
  readonly forbidden?: TenantRole | "operator";
}

const id = (kind: keyof World) => (world: World) => ({ id: world[kind] });
const name = () => ({ name: "new" });

/** What each route answers to those who may not. A route that is missing here fails the test. */
const EXPECTED: Partial<Record<OperationId, Expected>> = {
  whoami: { stranger: "own" },
  createTenant: { body: name, stranger: 403, forbidden: "admin" },
  listTenants: { stranger: 403, forbidden: "admin" },
  getTenant: { params: id("tenant"), stranger: 404, forbidden: "admin" },
  updateTenant: { params: id("tenant"), body: name, stranger: 404, forbidden: "admin" },
  deleteTenant: { params: id("tenant"), stranger: 404, forbidden: "admin" },
  createAccessKey: {
    params: id("tenant"),
    body: () => ({ roles: ["viewer"] }),
    stranger: 404,
    forbidden: "viewer",
  },
  listAccessKeys: { params: id("tenant"), stranger: 404, forbidden: "network-admin" },
  updateAccessKey: {
    params: (world) => ({ id: world.tenant, keyId: world.accessKey }),
    body: name,
    stranger: 404,
    forbidden: "viewer",
  },
  deleteAccessKey: {
    params: (world) => ({ id: world.tenant, keyId: world.accessKey }),
    stranger: 404,
    forbidden: "viewer",
  },
  createVpc: { body: () => ({ cidrBlock: "10.9.0.0/16" }), stranger: "own", forbidden: "viewer" },
  listVpcs: { stranger: "own" },
  getVpc: { params: id("vpc"), stranger: 404 },
  updateVpc: { params: id("vpc"), body: name, stranger: 404, forbidden: "viewer" },
  deleteVpc: { params: id("vpc"), stranger: 404, forbidden: "viewer" },
  addCidrBlock: {
    params: id("vpc"),
    body: () => ({ cidrBlock: "10.8.0.0/16" }),
    stranger: 404,
    forbidden: "viewer",
  },
  removeCidrBlock: {
    params: (world) => ({ id: world.vpc, cidr: "10.0.0.0/16" }),
    stranger: 404,
    forbidden: "viewer",
  },
  createRouteTable: {
    body: (world) => ({ vpcId: world.vpc }),
    stranger: 404,
    forbidden: "viewer",
  },
  listRouteTables: { stranger: "own" },
  getRouteTable: { params: id("table"), stranger: 404 },
  deleteRouteTable: { params: id("table"), stranger: 404, forbidden: "viewer" },
  createRoute: {
    params: id("table"),
    body: (world) => ({ destinationCidrBlock: "10.1.2.0/24", vpcPeeringId: world.peering }),
    stranger: 404,
    forbidden: "viewer",
  },
  replaceRoute: {
    params: (world) => ({ id: world.table, cidr: "10.1.0.0/16" }),
    body: (world) => ({ vpcPeeringId: world.peering }),
    stranger: 404,
    forbidden: "viewer",
  },
  deleteRoute: {
    params: (world) => ({ id: world.table, cidr: "10.1.0.0/16" }),
    stranger: 404,
    forbidden: "viewer",
  },
  associateRouteTable: {
    params: id("table"),
    body: (world) => ({ subnetId: world.subnet }),
    stranger: 404,
    forbidden: "viewer",
  },
  disassociateRouteTable: {
    params: (world) => ({ id: world.table, subnetId: world.subnet }),
    stranger: 404,
    forbidden: "viewer",
  },
  createSecurityGroup: {
    body: (world) => ({ vpcId: world.vpc, name: "new" }),
    stranger: 404,
    forbidden: "viewer",
  },
  listSecurityGroups: { stranger: "own" },
  getSecurityGroup: { params: id("group"), stranger: 404 },
  updateSecurityGroup: {
    params: id("group"),
    body: () => ({ description: "new" }),
    stranger: 404,
    forbidden: "viewer",
  },
  deleteSecurityGroup: { params: id("group"), stranger: 404, forbidden: "viewer" },
  createSecurityGroupRule: {
    params: id("group"),
    body: () => ({ direction: "ingress", protocol: "tcp", cidrBlock: "10.0.0.0/8" }),
    stranger: 404,
    forbidden: "viewer",
  },
  getSecurityGroupRule: {
    params: (world) => ({ id: world.group, ruleId: world.rule }),
    stranger: 404,
  },
  deleteSecurityGroupRule: {
    params: (world) => ({ id: world.group, ruleId: world.rule }),
    stranger: 404,
    forbidden: "viewer",
  },
  createSubnet: {
    body: (world) => ({ vpcId: world.vpc, cidrBlock: "10.0.9.0/24" }),
    stranger: 404,
    forbidden: "viewer",
  },
  listSubnets: { stranger: "nothing" },
  getSubnet: { params: id("subnet"), stranger: 404 },
  updateSubnet: { params: id("subnet"), body: name, stranger: 404, forbidden: "viewer" },
  deleteSubnet: { params: id("subnet"), stranger: 404, forbidden: "viewer" },
  createNetworkInterface: {
    body: (world) => ({ subnetId: world.subnet }),
    stranger: 404,
    forbidden: "viewer",
  },
  listNetworkInterfaces: { stranger: "nothing" },
  getNetworkInterface: { params: id("eni"), stranger: 404 },
  showNetworkInterfaceDrops: { params: id("eni"), stranger: 404 },
  updateNetworkInterface: { params: id("eni"), body: name, stranger: 404, forbidden: "viewer" },
  deleteNetworkInterface: { params: id("eni"), stranger: 404, forbidden: "viewer" },
  requestVpcPeering: {
    body: (world) => ({
      requesterVpcId: world.vpc,
      accepterVpcId: "vpc-0123456789abcdef0",
    }),
    stranger: 404,
    forbidden: "viewer",
  },
  listVpcPeerings: { stranger: "nothing" },
  getVpcPeering: { params: id("peering"), stranger: 404 },
  deleteVpcPeering: { params: id("peering"), stranger: 404, forbidden: "viewer" },
  acceptVpcPeering: { params: id("peering"), stranger: 404, forbidden: "viewer" },
  rejectVpcPeering: { params: id("peering"), stranger: 404, forbidden: "viewer" },
  updateVpcPeeringOptions: {
    params: id("peering"),
    body: () => ({ allowDnsResolutionFromRemoteVpc: true }),
    stranger: 404,
    forbidden: "viewer",
  },
  showVpcPeeringFlows: { params: id("peering"), stranger: 404 },
  explainReachability: {
    body: (world) => ({ from: world.eni, to: "10.0.0.9", protocol: "icmp" }),
    stranger: 404,
  },
  listEvents: { stranger: "own", forbidden: "network-admin" },
  streamEvents: { stranger: "own stream", forbidden: "network-admin" },
  showDataPlane: { stranger: 403, forbidden: "admin" },
  reconcileDataPlane: { stranger: 403, forbidden: "admin" },
};

/** The routes that need no credential. This list only shrinks. */
const OPEN: readonly OperationId[] = ["livez", "readyz", "metrics", "openapi"];

const guarded = operationIds().filter((operation) => !OPEN.includes(operation));
const NETWORK =
  /^(vpc|subnet|network_interface|route_table|security_group|vpc_peering):(create|update|delete|accept)$/;

describe.each(answerEngines)("who may not, on $name", (engine) => {
  let api: TestApi;
  let world: World;
  let strangerToken: string;
  let strangeViewerToken: string;
  let tokens: Record<TenantRole | "operator", string>;

  beforeAll(async () => {
    api = await startTestApi(engine);
    const owner = await api.createTenantWithKey("admin");
    tokens = {
      admin: owner.token,
      operator: api.operatorToken,
      viewer: (await api.addKey(owner.tenantId, "viewer")).token,
      "network-admin": (await api.addKey(owner.tenantId, "network-admin")).token,
    };
    world = await makeWorld(api, owner.tenantId, owner.token);
    const stranger = await api.createTenantWithKey("admin");
    strangerToken = stranger.token;
    strangeViewerToken = (await api.addKey(stranger.tenantId, "viewer")).token;
  });

  afterAll(() => api.stop());

  function ask(operation: OperationId, token: string | undefined, headers = {}) {
    const { method, url } = routeEntry(operation);
    const { params, body } = expectedOf(operation);
    let path = url;
    for (const [key, value] of Object.entries(params?.(world) ?? {})) {
      path = path.replace(`:${key}`, encodeURIComponent(value));
    }
    return api.call(token, method, path, body?.(world), { headers });
  }

  test("the table and the app have the same routes, each with its expectation", () => {
    for (const operation of operationIds()) {
      const { method, url } = routeEntry(operation);
      expect(api.app.hasRoute({ method, url }), `${method} ${url}`).toBe(true);
    }
    expect(Object.keys(EXPECTED).sort()).toEqual([...guarded].sort());
    const needing = operationIds().filter(
      (operation) => routeEntry(operation).access !== "anybody",
    );
    expect(guarded.every((operation) => needing.includes(operation))).toBe(true);
  });

  test.each(guarded)("%s needs a credential", async (operation) => {
    const answers = [
      await ask(operation, undefined),
      await ask(operation, "AKPBAAAAAAAAAAAAAAAA.guessed"),
      await ask(operation, `${tokens.admin}x`),
      await ask(operation, undefined, { authorization: "Basic dXNlcjpwYXNz" }),
    ];
    for (const { status, headers, body } of answers) {
      expect(status).toBe(401);
      expect(body.code).toBe("Unauthenticated");
      expect(headers["www-authenticate"]).toMatch(/^Bearer/);
    }
  });

  test.each(guarded)("%s: another tenant", async (operation) => {
    const { stranger } = expectedOf(operation);
    const { status, body } =
      stranger === "own stream"
        ? await firstOf(api, operation, strangerToken)
        : await ask(operation, strangerToken);
    if (stranger === "nothing") expect(body.items).toEqual([]);
    else if (stranger === "own" || stranger === "own stream") expect(status).toBeLessThan(300);
    else expect({ status, code: body.code }).toMatchObject({ status: stranger });
    for (const secret of Object.values(world)) {
      const asked = stranger === 404;
      if (!asked) expect(JSON.stringify(body)).not.toContain(secret);
    }
  });

  const addressed = guarded.filter(
    (operation) =>
      expectedOf(operation).stranger === 404 && routeEntry(operation).url.includes(":"),
  );
  test.each(addressed)(
    "%s: another tenant's key that lacks the permission too",
    async (operation) => {
      const { status } = await ask(operation, strangeViewerToken);
      expect(status, "what it may not see is not there").toBe(404);
    },
  );

  const limited = guarded.filter((operation) => EXPECTED[operation]?.forbidden !== undefined);
  test.each(limited)("%s: a role that lacks the permission", async (operation) => {
    const { forbidden } = expectedOf(operation);
    const { status, body } = await ask(operation, tokens[forbidden ?? "viewer"]);
    expect({ status, code: body.code }).toEqual({ status: 403, code: "Forbidden" });
  });

  const network = guarded.filter((operation) => NETWORK.test(routeEntry(operation).access));
  test.each(network)("%s: the operator changes no tenant's network", async (operation) => {
    const { status, body } = await ask(operation, tokens.operator);
    expect({ status, code: body.code }).toEqual({ status: 403, code: "Forbidden" });
  });

  test("after all this everything is as it was", async () => {
    const { body } = await api.call(tokens.admin, "GET", "/v1/vpcs");
    expect(body.items.map((vpc: { id: string }) => vpc.id)).toContain(world.vpc);
    expect(body.items).toHaveLength(2);
    const peering = await api.call(tokens.admin, "GET", `/v1/vpc-peerings/${world.peering}`);
    expect(peering.body.state).toBe("pending-acceptance");
    const table = await api.call(tokens.admin, "GET", `/v1/route-tables/${world.table}`);
    expect(table.body.routes).toHaveLength(2);
    expect(table.body.associations).toEqual([world.subnet]);
    const group = await api.call(tokens.admin, "GET", `/v1/security-groups/${world.group}`);
    expect(group.body).toMatchObject({ description: "", name: "web" });
    expect(group.body.rules.map((rule: { id: string }) => rule.id)).toContain(world.rule);
    expect(group.body.rules).toHaveLength(2);
    const eni = await api.call(tokens.admin, "GET", `/v1/network-interfaces/${world.eni}`);
    expect(eni.body.securityGroupIds).toEqual([world.group]);
  });

  test("a suspended tenant's keys and a deleted key are refused from the next request on", async () => {
    const { tenantId, keyId, token } = await api.createTenantWithKey("admin");
    const other = await api.addKey(tenantId, "viewer");
    const path = `/v1/tenants/${tenantId}`;
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(200);
    await api.call(api.operatorToken, "PATCH", path, { suspended: true });
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(401);
    await api.call(api.operatorToken, "PATCH", path, { suspended: false });
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(200);
    const gone = await api.call(other.token, "DELETE", `${path}/access-keys/${keyId}`);
    expect(gone.status).toBe(403);
    expect((await api.call(token, "DELETE", `${path}/access-keys/${keyId}`)).status).toBe(204);
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(401);
    expect((await api.call(other.token, "GET", "/v1/whoami")).status).toBe(200);
  });
});

test("a route that is not in the table cannot be registered", () => {
  const app = fastify();
  onlyTabledRoutes(app);
  expect(() => app.get("/v1/secret", async () => "x")).toThrow("GET /v1/secret");
});

function expectedOf(operation: OperationId): Expected {
  const expected = EXPECTED[operation];
  if (expected === undefined) throw new Error(`${operation} is missing in this test's table`);
  return expected;
}

/** What a stream says first when it is asked for all that has happened. */
async function firstOf(api: TestApi, operation: OperationId, token: string) {
  const { method, url } = routeEntry(operation);
  const headers = { authorization: `Bearer ${token}` };
  const query = { after: "0" };
  const response = await api.app.inject({ method, url, headers, query, payloadAsStream: true });
  let body = "";
  for await (const chunk of response.stream()) {
    body += String(chunk);
    if (body.includes("data:")) break;
  }
  return { status: response.statusCode, body };
}

async function makeWorld(api: TestApi, tenant: string, token: string): Promise<World> {
  const vpc = await api.createVpc(token, "10.0.0.0/16");
  const otherVpc = await api.createVpc(token, "10.1.0.0/16");
  const created = async (path: string, body: unknown): Promise<string> => {
    const answer = await api.call(token, "POST", path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body.id;
  };
  const subnet = await created("/v1/subnets", { vpcId: vpc, cidrBlock: "10.0.0.0/24" });
  const group = await created("/v1/security-groups", { vpcId: vpc, name: "web" });
  const admitted = { direction: "ingress", protocol: "all", securityGroupId: group };
  const rule = await created(`/v1/security-groups/${group}/rules`, admitted);
  const joining = { subnetId: subnet, securityGroupIds: [group] };
  const eni = await created("/v1/network-interfaces", joining);
  const sides = { requesterVpcId: vpc, accepterVpcId: otherVpc };
  const peering = await created("/v1/vpc-peerings", sides);
  const table = await created("/v1/route-tables", { vpcId: vpc });
  const route = { destinationCidrBlock: "10.1.0.0/16", vpcPeeringId: peering };
  await created(`/v1/route-tables/${table}/routes`, route);
  await created(`/v1/route-tables/${table}/associations`, { subnetId: subnet });
  const { keyId } = await api.addKey(tenant, "viewer");
  return { tenant, accessKey: keyId, vpc, subnet, eni, table, group, rule, peering };
}

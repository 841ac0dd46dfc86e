import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OperationId, operationIds, routeEntry } from "../../../src/api/rest/route-table.js";
import { newAccessKeyId, newId, newTenantId } from "../../../src/domain/ids.js";
import { type Answer, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

/** One resource of each kind. */
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

interface Call {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
}

/** @param ids others' or nobody's; `own` are the caller's */
type Ask = (ids: World, own: World) => Call;
/** By the place of the id: `path id`, `query vpcId`, `body subnetId`. */
type Asks = Readonly<Record<string, Ask>>;

const BLOCK = "10.7.0.0/16";
const NAMED = { name: "new" };
const pathId = (kind: keyof World, body?: unknown): Asks => ({
  "path id": (ids) => ({ params: { id: ids[kind] }, body }),
});
const queryOf = (kinds: Record<string, keyof World>): Asks =>
  Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => {
      return [`query ${name}`, (ids: World) => ({ query: { [name]: ids[kind] } })];
    }),
  );
const RULE = { direction: "ingress", protocol: "tcp" };
const ICMP = { protocol: "icmp" };

/** Every place of every route where a caller names something. A route that is missing here fails. */
const ASKS: Record<OperationId, Asks> = {
  whoami: {},
  createTenant: { "body id": (ids) => ({ body: { ...NAMED, id: ids.tenant } }) },
  listTenants: {},
  getTenant: pathId("tenant"),
  updateTenant: pathId("tenant", NAMED),
  deleteTenant: pathId("tenant"),
  createAccessKey: pathId("tenant", { roles: ["viewer"] }),
  listAccessKeys: pathId("tenant"),
  updateAccessKey: {
    "path id": (ids) => ({ params: { id: ids.tenant, keyId: ids.accessKey }, body: NAMED }),
    "path keyId": (ids, own) => ({ params: { id: own.tenant, keyId: ids.accessKey }, body: NAMED }),
  },
  deleteAccessKey: {
    "path id": (ids) => ({ params: { id: ids.tenant, keyId: ids.accessKey } }),
    "path keyId": (ids, own) => ({ params: { id: own.tenant, keyId: ids.accessKey } }),
  },
  createVpc: {},
  listVpcs: queryOf({ vpcId: "vpc" }),
  getVpc: pathId("vpc"),
  updateVpc: pathId("vpc", NAMED),
  deleteVpc: pathId("vpc"),
  addCidrBlock: pathId("vpc", { cidrBlock: "10.8.0.0/16" }),
  removeCidrBlock: {
    "path id": (ids) => ({ params: { id: ids.vpc, cidr: "10.0.0.0/16" } }),
  },
  createSubnet: { "body vpcId": (ids) => ({ body: { vpcId: ids.vpc, cidrBlock: BLOCK } }) },
  listSubnets: queryOf({ vpcId: "vpc" }),
  getSubnet: pathId("subnet"),
  updateSubnet: pathId("subnet", NAMED),
  deleteSubnet: pathId("subnet"),
  createNetworkInterface: {
    "body subnetId": (ids) => ({ body: { subnetId: ids.subnet } }),
    "body securityGroupIds": (ids, own) => ({
      body: { subnetId: own.subnet, securityGroupIds: [ids.group] },
    }),
  },
  listNetworkInterfaces: queryOf({ vpcId: "vpc", subnetId: "subnet", securityGroupId: "group" }),
  getNetworkInterface: pathId("eni"),
  showNetworkInterfaceDrops: pathId("eni"),
  updateNetworkInterface: {
    ...pathId("eni", NAMED),
    "path id, with groups": (ids, own) => ({
      params: { id: ids.eni },
      body: { securityGroupIds: [own.group] },
    }),
    "body securityGroupIds": (ids, own) => ({
      params: { id: own.eni },
      body: { securityGroupIds: [ids.group] },
    }),
  },
  deleteNetworkInterface: pathId("eni"),
  createRouteTable: { "body vpcId": (ids) => ({ body: { vpcId: ids.vpc } }) },
  listRouteTables: queryOf({ vpcId: "vpc" }),
  getRouteTable: pathId("table"),
  deleteRouteTable: pathId("table"),
  createRoute: {
    "path id": (ids, own) => ({
      params: { id: ids.table },
      body: { destinationCidrBlock: BLOCK, vpcPeeringId: own.peering },
    }),
    "body vpcPeeringId": (ids, own) => ({
      params: { id: own.table },
      body: { destinationCidrBlock: BLOCK, vpcPeeringId: ids.peering },
    }),
  },
  replaceRoute: {
    "path id": (ids, own) => ({
      params: { id: ids.table, cidr: "10.10.0.0/16" },
      body: { vpcPeeringId: own.peering },
    }),
    "body vpcPeeringId": (ids, own) => ({
      params: { id: own.table, cidr: "10.10.0.0/16" },
      body: { vpcPeeringId: ids.peering },
    }),
  },
  deleteRoute: { "path id": (ids) => ({ params: { id: ids.table, cidr: "10.1.0.0/16" } }) },
  associateRouteTable: {
    "path id": (ids, own) => ({ params: { id: ids.table }, body: { subnetId: own.subnet } }),
    "body subnetId": (ids, own) => ({ params: { id: own.table }, body: { subnetId: ids.subnet } }),
  },
  disassociateRouteTable: {
    "path id": (ids, own) => ({ params: { id: ids.table, subnetId: own.subnet } }),
    "path subnetId": (ids, own) => ({ params: { id: own.table, subnetId: ids.subnet } }),
  },
  createSecurityGroup: { "body vpcId": (ids) => ({ body: { vpcId: ids.vpc, name: "new" } }) },
  listSecurityGroups: queryOf({ vpcId: "vpc" }),
  getSecurityGroup: pathId("group"),
  updateSecurityGroup: pathId("group", { description: "new" }),
  deleteSecurityGroup: pathId("group"),
  createSecurityGroupRule: {
    ...pathId("group", { ...RULE, cidrBlock: "10.0.0.0/8" }),
    "body securityGroupId": (ids, own) => ({
      params: { id: own.group },
      body: { ...RULE, securityGroupId: ids.group },
    }),
  },
  getSecurityGroupRule: {
    "path id": (ids) => ({ params: { id: ids.group, ruleId: ids.rule } }),
    "path ruleId": (ids, own) => ({ params: { id: own.group, ruleId: ids.rule } }),
  },
  deleteSecurityGroupRule: {
    "path id": (ids) => ({ params: { id: ids.group, ruleId: ids.rule } }),
    "path ruleId": (ids, own) => ({ params: { id: own.group, ruleId: ids.rule } }),
  },
  requestVpcPeering: {
    "body requesterVpcId": (ids, own) => ({
      body: { requesterVpcId: ids.vpc, accepterVpcId: own.vpc },
    }),
    "body requesterVpcId, to its own tenant": (ids) => ({
      body: { requesterVpcId: ids.vpc, accepterVpcId: newId("vpc"), accepterTenantId: ids.tenant },
    }),
    "body accepterVpcId": (ids, own) => ({
      body: { requesterVpcId: own.vpc, accepterVpcId: ids.vpc },
    }),
    "body accepterTenantId": (ids, own) => ({
      body: { requesterVpcId: own.vpc, accepterVpcId: ids.vpc, accepterTenantId: ids.tenant },
    }),
  },
  listVpcPeerings: queryOf({ vpcId: "vpc" }),
  getVpcPeering: pathId("peering"),
  deleteVpcPeering: pathId("peering"),
  acceptVpcPeering: pathId("peering"),
  rejectVpcPeering: pathId("peering"),
  updateVpcPeeringOptions: pathId("peering", { allowDnsResolutionFromRemoteVpc: true }),
  showVpcPeeringFlows: pathId("peering"),
  explainReachability: {
    "body from": (ids) => ({ body: { ...ICMP, from: ids.eni, to: "10.9.0.9" } }),
    "body from, as a plan": (ids) => ({
      body: { ...ICMP, from: ids.eni, to: "10.9.0.9", plan: true },
    }),
    "body to": (ids, own) => ({ body: { ...ICMP, from: own.eni, to: ids.eni } }),
    "body vpcId": (ids) => ({
      body: { ...ICMP, from: "10.9.0.4", to: "10.9.0.9", vpcId: ids.vpc },
    }),
  },
  listEvents: {},
  streamEvents: {},
  showDataPlane: {},
  reconcileDataPlane: { "body vpcId": (ids) => ({ body: { vpcId: ids.vpc } }) },
  livez: {},
  readyz: {},
  metrics: {},
  openapi: {},
};

/** Requests last: who made them finds them in lists. */
const QUESTIONS = operationIds()
  .toSorted((a, b) => Number(a === "requestVpcPeering") - Number(b === "requestVpcPeering"))
  .flatMap((operation) =>
    Object.entries(ASKS[operation] ?? {}).map(([place, ask]) => ({ operation, place, ask })),
  );

const [pglite] = databaseEngines;
if (pglite === undefined) throw new Error("no database to test on");

describe("what a caller learns", () => {
  let api: TestApi;
  let caller: TenantKey;
  let own: World;
  let others: World;
  let statements: string[] = [];

  beforeAll(async () => {
    api = await startTestApi(pglite, {
      onStatement: (sql) => void statements.push(normalised(sql)),
      sweeping: false,
    });
    const victim = await api.createTenantWithKey("admin");
    others = await makeWorld(api, victim, "10.0.0.0/16", "10.1.0.0/16");
    caller = await api.createTenantWithKey("admin");
    own = await makeWorld(api, caller, "10.9.0.0/16", "10.10.0.0/16");
  });
  afterAll(() => api.stop());

  async function observe(token: string, operation: OperationId, call: Call) {
    const { method, url } = routeEntry(operation);
    const query = new URLSearchParams(call.query).toString();
    let path: string = url;
    for (const [name, value] of Object.entries(call.params ?? {})) {
      path = path.replace(`:${name}`, encodeURIComponent(value));
    }
    statements = [];
    const target = query === "" ? path : `${path}?${query}`;
    const answer = await api.call(token, method as "GET", target, call.body);
    return { status: answer.status, ...withoutIds(answer), statements };
  }

  test("every route is asked about every id that it takes", async () => {
    expect(Object.keys(ASKS).sort()).toEqual([...operationIds()].sort());
    const { paths } = (await api.call(undefined, "GET", "/openapi.json")).body;
    for (const operation of operationIds()) {
      const { method, url } = routeEntry(operation);
      const described = paths[url.replace(/:(\w+)/g, "{$1}")][method.toLowerCase()];
      const places = Object.keys(ASKS[operation]);
      for (const place of idPlaces(described)) expect(places, operation).toContain(place);
    }
  });

  test.each(QUESTIONS)("$operation, $place: others' is as nobody's", async ({ operation, ask }) => {
    const nobodys = await observe(caller.token, operation, ask(nobodysWorld(), own));
    const theirs = await observe(caller.token, operation, ask(others, own));
    expect(theirs).toEqual(nobodys);
    expect(theirs.status).not.toBe(500);
  });

  test.each([
    ["listSubnets", "vpcId", "subnet"],
    ["listNetworkInterfaces", "vpcId", "network_interface"],
    ["listNetworkInterfaces", "subnetId", "network_interface"],
    ["listNetworkInterfaces", "securityGroupId", "network_interface"],
    ["listRouteTables", "vpcId", "route_table"],
    ["listSecurityGroups", "vpcId", "security_group"],
  ] as const)("%s?%s= of others reads nothing that is in it", async (operation, filter, table) => {
    const reading = `SELECT "public"."${table}"."id", "public"."${table}"."number"`;
    const { query } = ASKS[operation][`query ${filter}`]?.(others, own) ?? {};
    const theirs = await observe(caller.token, operation, { query: query ?? {} });
    expect(theirs.body).toContain('"items":[]');
    expect(theirs.statements.filter((sql) => sql.startsWith(reading))).toEqual([]);
    const mine = ASKS[operation][`query ${filter}`]?.(own, own) ?? {};
    const seen = await observe(caller.token, operation, mine);
    expect(seen.body).not.toContain('"items":[]');
    expect(seen.statements.filter((sql) => sql.startsWith(reading))).toHaveLength(1);
  });

  test("an unknown key is as a wrong, a revoked and a suspended one", async () => {
    const revoked = await api.addKey(caller.tenantId, "viewer");
    const suspended = await api.createTenantWithKey("viewer");
    const key = `/v1/tenants/${caller.tenantId}/access-keys/${revoked.keyId}`;
    await api.call(caller.token, "DELETE", key);
    const path = `/v1/tenants/${suspended.tenantId}`;
    await api.call(api.operatorToken, "PATCH", path, { suspended: true });
    const unknown = await observe(`${newAccessKeyId()}.guess`, "listVpcs", {});
    expect(unknown).toMatchObject({ status: 401, statements: [] });
    for (const token of [`${caller.token}x`, revoked.token, suspended.token]) {
      expect(await observe(token, "listVpcs", {})).toEqual(unknown);
    }
  });
});

function normalised(sql: string): string {
  return sql.replace(/\s+/g, " ");
}

function withoutIds({ body, headers }: Answer) {
  const text = JSON.stringify(body)
    .replace(/\b(vpc|subnet|eni|pcx|rtb|sgr?)-[0-9a-f]{17}/g, "$1")
    .replace(/AKPB[A-Z2-7]{16}/g, "key")
    .replace(/\b\d{12}\b/g, "tenant")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "time")
    .replace(/("(observedG|g)eneration"):\d+/g, "$1");
  const { date: _, "x-request-id": id, "content-length": length, ...others } = headers;
  expect(id).toBeDefined();
  return { body: text, headers: others, hasLength: length !== undefined };
}

const ID = /\^(\(.*\))?(vpc|subnet|eni|pcx|rtb|sgr?)-|AKPB|\{12\}/;

type Schema = ReturnType<JSON["parse"]>;

function idPlaces({ parameters = [], requestBody }: Schema): string[] {
  const properties = requestBody?.content?.["application/json"]?.schema?.properties ?? {};
  const isId = (schema: Schema) => ID.test(JSON.stringify(schema ?? {}));
  const named = parameters.filter(({ schema }: Schema) => isId(schema));
  const bodies = Object.keys(properties).filter((name) => isId(properties[name]));
  return [
    ...named.map((parameter: Schema) => `${parameter.in} ${parameter.name}`),
    ...bodies.map((name) => `body ${name}`),
  ];
}

function nobodysWorld(): World {
  return {
    tenant: newTenantId(),
    accessKey: newAccessKeyId(),
    vpc: newId("vpc"),
    subnet: newId("subnet"),
    eni: newId("networkInterface"),
    table: newId("routeTable"),
    group: newId("securityGroup"),
    rule: newId("securityGroupRule"),
    peering: newId("vpcPeering"),
  };
}

async function makeWorld(
  api: TestApi,
  { tenantId: tenant, keyId, token }: TenantKey,
  block: string,
  peerBlock: string,
): Promise<World> {
  const created = async (path: string, body: unknown): Promise<string> => {
    const answer = await api.call(token, "POST", path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body.id;
  };
  const vpc = await api.createVpc(token, block);
  const otherVpc = await api.createVpc(token, peerBlock);
  const inside = block.replace("/16", "/24");
  const subnet = await created("/v1/subnets", { vpcId: vpc, cidrBlock: inside });
  const group = await created("/v1/security-groups", { vpcId: vpc, name: "web" });
  const rule = await created(`/v1/security-groups/${group}/rules`, {
    direction: "ingress",
    protocol: "all",
    securityGroupId: group,
  });
  const joining = { subnetId: subnet, securityGroupIds: [group] };
  const eni = await created("/v1/network-interfaces", joining);
  const sides = { requesterVpcId: vpc, accepterVpcId: otherVpc };
  const peering = await created("/v1/vpc-peerings", sides);
  const table = await created("/v1/route-tables", { vpcId: vpc });
  const route = { destinationCidrBlock: peerBlock, vpcPeeringId: peering };
  await created(`/v1/route-tables/${table}/routes`, route);
  return { tenant, accessKey: keyId, vpc, subnet, eni, table, group, rule, peering };
}

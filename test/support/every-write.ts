import { type OperationId, routeEntry } from "../../src/api/rest/route-table.js";
import type { Answer, TestApi } from "./api.js";

/** What every write of the route table can be made with so that it succeeds. */
export interface WriteWorld {
  readonly owner: string;
  readonly ids: Readonly<Record<Thing, string>>;
}

type Thing =
  | "tenant"
  | "spareTenant"
  | "accessKey"
  | "vpc"
  | "spareVpc"
  | "strangersVpc"
  | "stranger"
  | "subnet"
  | "spareSubnet"
  | "eni"
  | "table"
  | "spareTable"
  | "group"
  | "spareGroup"
  | "rule"
  | "active"
  | "received"
  | "unwanted";

type Ids = WriteWorld["ids"];

interface Write {
  /** The owner unless told. */
  readonly by?: "operator";
  /** In the order in which they are in the path. */
  readonly params?: (ids: Ids) => string[];
  readonly body?: (ids: Ids) => object;
  /** What it needs to succeed whatever is plugged in. */
  readonly query?: string;
  readonly status: number;
  /** The events that come of it and that its caller may see: their types and actions. */
  readonly events: readonly string[];
}

const PRIMARY = "10.0.0.0/16";
const SECOND = "10.20.0.0/16";
const named = () => ({ name: "new" });
const of =
  (...things: Thing[]) =>
  (ids: Ids) =>
    things.map((thing) => ids[thing]);

/** A write that is missing here fails the tests that go through all of them. */
export const EVERY_WRITE: Partial<Record<OperationId, Write>> = {
  createTenant: { by: "operator", body: named, status: 201, events: ["tenant create"] },
  updateTenant: {
    by: "operator",
    params: of("tenant"),
    body: () => ({ suspended: true }),
    status: 200,
    events: ["tenant update"],
  },
  deleteTenant: {
    by: "operator",
    params: of("spareTenant"),
    status: 204,
    events: ["access-key delete", "tenant delete"],
  },
  createAccessKey: {
    params: of("tenant"),
    body: () => ({ roles: ["viewer"] }),
    status: 201,
    events: ["access-key create"],
  },
  updateAccessKey: {
    params: of("tenant", "accessKey"),
    body: named,
    status: 200,
    events: ["access-key update"],
  },
  deleteAccessKey: {
    params: of("tenant", "accessKey"),
    status: 204,
    events: ["access-key delete"],
  },
  createVpc: {
    body: () => ({ cidrBlock: "10.9.0.0/16" }),
    status: 201,
    events: ["vpc create"],
  },
  updateVpc: { params: of("vpc"), body: named, status: 200, events: ["vpc update"] },
  deleteVpc: { params: of("spareVpc"), status: 204, events: ["vpc delete"] },
  addCidrBlock: {
    params: of("vpc"),
    body: () => ({ cidrBlock: "10.21.0.0/16" }),
    status: 201,
    events: ["vpc update"],
  },
  removeCidrBlock: {
    params: ({ vpc }) => [vpc, SECOND],
    status: 204,
    events: ["vpc update"],
  },
  createSubnet: {
    body: ({ vpc }) => ({ vpcId: vpc, cidrBlock: "10.0.9.0/24" }),
    status: 201,
    events: ["subnet create"],
  },
  updateSubnet: { params: of("subnet"), body: named, status: 200, events: ["subnet update"] },
  deleteSubnet: { params: of("spareSubnet"), status: 204, events: ["subnet delete"] },
  createNetworkInterface: {
    body: ({ subnet }) => ({ subnetId: subnet }),
    status: 201,
    events: ["network-interface create"],
  },
  updateNetworkInterface: {
    params: of("eni"),
    body: ({ spareGroup }) => ({ securityGroupIds: [spareGroup] }),
    status: 200,
    events: ["network-interface update"],
  },
  deleteNetworkInterface: {
    params: of("eni"),
    query: "force=true",
    status: 204,
    events: ["network-interface delete"],
  },
  createRouteTable: {
    body: ({ vpc }) => ({ vpcId: vpc }),
    status: 201,
    events: ["route-table create"],
  },
  deleteRouteTable: { params: of("spareTable"), status: 204, events: ["route-table delete"] },
  createRoute: {
    params: of("table"),
    body: ({ active }) => ({ destinationCidrBlock: "10.1.2.0/24", vpcPeeringId: active }),
    status: 201,
    events: ["route-table update"],
  },
  replaceRoute: {
    params: ({ table }) => [table, "10.1.0.0/16"],
    body: ({ received }) => ({ vpcPeeringId: received }),
    status: 200,
    events: ["route-table update"],
  },
  deleteRoute: {
    params: ({ table }) => [table, "10.1.0.0/16"],
    status: 204,
    events: ["route-table update"],
  },
  associateRouteTable: {
    params: of("table"),
    body: ({ spareSubnet }) => ({ subnetId: spareSubnet }),
    status: 201,
    events: ["route-table update"],
  },
  disassociateRouteTable: {
    params: of("table", "subnet"),
    status: 204,
    events: ["route-table update"],
  },
  createSecurityGroup: {
    body: ({ vpc }) => ({ vpcId: vpc, name: "new" }),
    status: 201,
    events: ["security-group create"],
  },
  updateSecurityGroup: {
    params: of("group"),
    body: () => ({ description: "new" }),
    status: 200,
    events: ["security-group update"],
  },
  deleteSecurityGroup: {
    params: of("spareGroup"),
    status: 204,
    events: ["security-group delete"],
  },
  createSecurityGroupRule: {
    params: of("group"),
    body: () => ({ direction: "ingress", protocol: "tcp", cidrBlock: "10.0.0.0/8" }),
    status: 201,
    events: ["security-group add-rule"],
  },
  deleteSecurityGroupRule: {
    params: of("group", "rule"),
    status: 204,
    events: ["security-group remove-rule"],
  },
  requestVpcPeering: {
    body: ({ vpc, strangersVpc, stranger }) => ({
      requesterVpcId: vpc,
      accepterVpcId: strangersVpc,
      accepterTenantId: stranger,
    }),
    status: 201,
    events: ["vpc-peering request"],
  },
  deleteVpcPeering: { params: of("active"), status: 200, events: ["vpc-peering delete"] },
  acceptVpcPeering: { params: of("received"), status: 200, events: ["vpc-peering accept"] },
  rejectVpcPeering: { params: of("unwanted"), status: 200, events: ["vpc-peering reject"] },
  updateVpcPeeringOptions: {
    params: of("active"),
    body: () => ({ allowDnsResolutionFromRemoteVpc: true }),
    status: 200,
    events: ["vpc-peering update-options"],
  },
  reconcileDataPlane: { by: "operator", status: 200, events: [] },
};

/** @param query with its question mark */
export function callWrite(
  api: TestApi,
  { owner, ids }: WriteWorld,
  operation: OperationId,
  query = "",
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { by, params, body, query: own } = writeOf(operation);
  const { method, url } = routeEntry(operation);
  const values = params?.(ids) ?? [];
  const search = [own ?? "", query.replace("?", "")].filter((text) => text !== "").join("&");
  const path = url.replace(/:[a-zA-Z]+/g, () => encodeURIComponent(values.shift() ?? ""));
  const token = by === "operator" ? api.operatorToken : owner;
  return api.call(token, method, `${path}?${search}`, body?.(ids), { headers });
}

export function writeOf(operation: OperationId): Write {
  const write = EVERY_WRITE[operation];
  if (write === undefined) throw new Error(`${operation} is missing among the writes`);
  return write;
}

export async function makeWriteWorld(api: TestApi): Promise<WriteWorld> {
  const { tenantId: tenant, token: owner } = await api.createTenantWithKey("admin");
  const { tenantId: spareTenant } = await api.createTenantWithKey("admin");
  const { tenantId: stranger, token: strangers } = await api.createTenantWithKey("admin");
  const { keyId: accessKey } = await api.addKey(tenant, "viewer");
  const as = (token: string) => ({
    made: async (path: string, body?: object): Promise<string> => {
      const answer = await api.call(token, "POST", path, body);
      if (answer.status < 300) return answer.body.id;
      throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    },
  });
  const { made } = as(owner);
  const vpc = await api.createVpc(owner, PRIMARY);
  await made(`/v1/vpcs/${vpc}/cidr-blocks`, { cidrBlock: SECOND });
  const spareVpc = await api.createVpc(owner, "10.3.0.0/16");
  const peerVpc = await api.createVpc(owner, "10.1.0.0/16");
  const strangersVpc = await api.createVpc(strangers, "10.2.0.0/16");
  const otherVpc = await api.createVpc(strangers, "10.4.0.0/16");
  const unwantedVpc = await api.createVpc(strangers, "10.5.0.0/16");
  const subnet = await made("/v1/subnets", { vpcId: vpc, cidrBlock: "10.0.0.0/24" });
  const spareSubnet = await made("/v1/subnets", { vpcId: vpc, cidrBlock: "10.0.1.0/24" });
  const group = await made("/v1/security-groups", { vpcId: vpc, name: "web" });
  const spareGroup = await made("/v1/security-groups", { vpcId: vpc, name: "spare" });
  const admitted = { direction: "ingress", protocol: "all", cidrBlock: PRIMARY };
  const rule = await made(`/v1/security-groups/${group}/rules`, admitted);
  const joining = { subnetId: subnet, securityGroupIds: [group] };
  const eni = await made("/v1/network-interfaces", joining);
  const active = await made("/v1/vpc-peerings", { requesterVpcId: vpc, accepterVpcId: peerVpc });
  await made(`/v1/vpc-peerings/${active}/accept?wait=10`);
  const ask = (requesterVpcId: string) =>
    as(strangers).made("/v1/vpc-peerings", {
      requesterVpcId,
      accepterVpcId: vpc,
      accepterTenantId: tenant,
    });
  const received = await ask(otherVpc);
  const unwanted = await ask(unwantedVpc);
  const table = await made("/v1/route-tables", { vpcId: vpc });
  const spareTable = await made("/v1/route-tables", { vpcId: vpc });
  const route = { destinationCidrBlock: "10.1.0.0/16", vpcPeeringId: active };
  await made(`/v1/route-tables/${table}/routes`, route);
  await made(`/v1/route-tables/${table}/associations`, { subnetId: subnet });
  const networks = { vpc, spareVpc, strangersVpc, subnet, spareSubnet, eni, table, spareTable };
  const policies = { group, spareGroup, rule, active, received, unwanted };
  return { owner, ids: { tenant, spareTenant, accessKey, stranger, ...networks, ...policies } };
}

/** Everything that is stored, as text. */
export async function dumpDatabase({ context: { db } }: TestApi): Promise<string> {
  const tables = await db.$queryRaw<Array<{ name: string }>>`
    SELECT tablename AS "name" FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`;
  const parts = [];
  for (const { name } of tables) {
    const sql = `SELECT to_jsonb(t)::text AS "row" FROM "${name}" t ORDER BY 1`;
    const rows = await db.$queryRawUnsafe<Array<{ row: string }>>(sql);
    parts.push(`${name}:`, ...rows.map(({ row }) => row));
  }
  return parts.join("\n");
}

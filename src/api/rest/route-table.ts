import type { Permission } from "../../domain/permissions.js";

/**
 * Who gets past the door of a route: holders of a permission, any valid credential, anybody, or
 * (for metrics) the operator and whoever calls from this host.
 */
export type Access = Permission | "any-credential" | "anybody" | "loopback-or-operator";

export interface RouteEntry {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Fastify's spelling. */
  readonly url: string;
  readonly access: Access;
  readonly tag: string;
  readonly summary: string;
  /** Asks, whatever its method: an earlier answer does not do. */
  readonly changesNothing?: boolean;
  /** Changes what packets pass, and may be answered once the switch has followed. */
  readonly followed?: boolean;
  /** Goes on from an event that may be gone. */
  readonly resumes?: boolean;
}

type Method = RouteEntry["method"];

function route(method: Method, url: string, access: Access, tag: string, summary: string) {
  return { method, url, access, tag, summary } satisfies RouteEntry;
}

/** One that changes what packets pass; peerings wait in their own way. */
function followed(method: Method, url: string, access: Access, tag: string, summary: string) {
  return { ...route(method, url, access, tag, summary), followed: true } satisfies RouteEntry;
}

const TENANT = "Tenants";
const VPC = "VPCs";
const SUBNET = "Subnets";
const ENI = "Network interfaces";
const RTB = "Route tables";
const SG = "Security groups";
const PCX = "VPC peerings";
const REACHABILITY = "Reachability";
const PLATFORM = "Platform";
const SYSTEM = "System";

/** Every route there is, by operation id. No route is registered but by its entry here. */
export const ROUTES = {
  whoami: route("GET", "/v1/whoami", "any-credential", TENANT, "Who the credential belongs to"),
  createTenant: route("POST", "/v1/tenants", "tenant:create", TENANT, "Create a tenant"),
  listTenants: route("GET", "/v1/tenants", "tenant:read", TENANT, "List tenants"),
  getTenant: route("GET", "/v1/tenants/:id", "tenant:read", TENANT, "Show a tenant"),
  updateTenant: route(
    "PATCH",
    "/v1/tenants/:id",
    "tenant:update",
    TENANT,
    "Rename, suspend or resume a tenant",
  ),
  deleteTenant: route(
    "DELETE",
    "/v1/tenants/:id",
    "tenant:delete",
    TENANT,
    "Delete a tenant that has no VPC left",
  ),
  createAccessKey: route(
    "POST",
    "/v1/tenants/:id/access-keys",
    "access_key:create",
    TENANT,
    "Issue an access key; its secret is shown once",
  ),
  listAccessKeys: route(
    "GET",
    "/v1/tenants/:id/access-keys",
    "access_key:read",
    TENANT,
    "List a tenant's access keys, without secrets",
  ),
  updateAccessKey: route(
    "PATCH",
    "/v1/tenants/:id/access-keys/:keyId",
    "access_key:update",
    TENANT,
    "Name an access key",
  ),
  deleteAccessKey: route(
    "DELETE",
    "/v1/tenants/:id/access-keys/:keyId",
    "access_key:delete",
    TENANT,
    "Revoke an access key",
  ),

  createVpc: followed("POST", "/v1/vpcs", "vpc:create", VPC, "Create a VPC"),
  listVpcs: route("GET", "/v1/vpcs", "vpc:read", VPC, "List VPCs"),
  getVpc: route("GET", "/v1/vpcs/:id", "vpc:read", VPC, "Show a VPC"),
  updateVpc: route("PATCH", "/v1/vpcs/:id", "vpc:update", VPC, "Change a VPC's name or tags"),
  deleteVpc: followed("DELETE", "/v1/vpcs/:id", "vpc:delete", VPC, "Delete a VPC"),
  addCidrBlock: followed(
    "POST",
    "/v1/vpcs/:id/cidr-blocks",
    "vpc:update",
    VPC,
    "Add a CIDR block to a VPC",
  ),
  removeCidrBlock: followed(
    "DELETE",
    "/v1/vpcs/:id/cidr-blocks/:cidr",
    "vpc:update",
    VPC,
    "Remove a CIDR block from a VPC",
  ),

  createSubnet: followed("POST", "/v1/subnets", "subnet:create", SUBNET, "Create a subnet"),
  listSubnets: route("GET", "/v1/subnets", "subnet:read", SUBNET, "List subnets"),
  getSubnet: route("GET", "/v1/subnets/:id", "subnet:read", SUBNET, "Show a subnet"),
  updateSubnet: route(
    "PATCH",
    "/v1/subnets/:id",
    "subnet:update",
    SUBNET,
    "Change a subnet's name or tags",
  ),
  deleteSubnet: followed("DELETE", "/v1/subnets/:id", "subnet:delete", SUBNET, "Delete a subnet"),

  createNetworkInterface: followed(
    "POST",
    "/v1/network-interfaces",
    "network_interface:create",
    ENI,
    "Create a network interface",
  ),
  listNetworkInterfaces: route(
    "GET",
    "/v1/network-interfaces",
    "network_interface:read",
    ENI,
    "List network interfaces",
  ),
  getNetworkInterface: route(
    "GET",
    "/v1/network-interfaces/:id",
    "network_interface:read",
    ENI,
    "Show a network interface",
  ),
  showNetworkInterfaceDrops: route(
    "GET",
    "/v1/network-interfaces/:id/drops",
    "network_interface:read",
    ENI,
    "Show how many packets of and for a network interface were dropped, and why",
  ),
  updateNetworkInterface: followed(
    "PATCH",
    "/v1/network-interfaces/:id",
    "network_interface:update",
    ENI,
    "Change a network interface's name, tags, addresses or security groups",
  ),
  deleteNetworkInterface: followed(
    "DELETE",
    "/v1/network-interfaces/:id",
    "network_interface:delete",
    ENI,
    "Delete a network interface",
  ),

  createRouteTable: followed(
    "POST",
    "/v1/route-tables",
    "route_table:create",
    RTB,
    "Create a route table",
  ),
  listRouteTables: route("GET", "/v1/route-tables", "route_table:read", RTB, "List route tables"),
  getRouteTable: route(
    "GET",
    "/v1/route-tables/:id",
    "route_table:read",
    RTB,
    "Show a route table with its routes",
  ),
  deleteRouteTable: followed(
    "DELETE",
    "/v1/route-tables/:id",
    "route_table:delete",
    RTB,
    "Delete a route table",
  ),
  createRoute: followed(
    "POST",
    "/v1/route-tables/:id/routes",
    "route_table:update",
    RTB,
    "Add a route to a VPC peering",
  ),
  replaceRoute: followed(
    "PUT",
    "/v1/route-tables/:id/routes/:cidr",
    "route_table:update",
    RTB,
    "Lead a route to another VPC peering",
  ),
  deleteRoute: followed(
    "DELETE",
    "/v1/route-tables/:id/routes/:cidr",
    "route_table:update",
    RTB,
    "Remove a route",
  ),
  associateRouteTable: followed(
    "POST",
    "/v1/route-tables/:id/associations",
    "route_table:update",
    RTB,
    "Let a subnet follow a route table",
  ),
  disassociateRouteTable: followed(
    "DELETE",
    "/v1/route-tables/:id/associations/:subnetId",
    "route_table:update",
    RTB,
    "Return a subnet to the main route table",
  ),

  createSecurityGroup: followed(
    "POST",
    "/v1/security-groups",
    "security_group:create",
    SG,
    "Create a security group",
  ),
  listSecurityGroups: route(
    "GET",
    "/v1/security-groups",
    "security_group:read",
    SG,
    "List security groups",
  ),
  getSecurityGroup: route(
    "GET",
    "/v1/security-groups/:id",
    "security_group:read",
    SG,
    "Show a security group with its rules",
  ),
  updateSecurityGroup: route(
    "PATCH",
    "/v1/security-groups/:id",
    "security_group:update",
    SG,
    "Change a security group's description or tags",
  ),
  deleteSecurityGroup: followed(
    "DELETE",
    "/v1/security-groups/:id",
    "security_group:delete",
    SG,
    "Delete a security group",
  ),
  createSecurityGroupRule: followed(
    "POST",
    "/v1/security-groups/:id/rules",
    "security_group:update",
    SG,
    "Add a rule",
  ),
  getSecurityGroupRule: route(
    "GET",
    "/v1/security-groups/:id/rules/:ruleId",
    "security_group:read",
    SG,
    "Show a rule",
  ),
  deleteSecurityGroupRule: followed(
    "DELETE",
    "/v1/security-groups/:id/rules/:ruleId",
    "security_group:update",
    SG,
    "Remove a rule",
  ),

  requestVpcPeering: route(
    "POST",
    "/v1/vpc-peerings",
    "vpc_peering:create",
    PCX,
    "Ask for a peering of two VPCs",
  ),
  listVpcPeerings: route("GET", "/v1/vpc-peerings", "vpc_peering:read", PCX, "List peerings"),
  getVpcPeering: route("GET", "/v1/vpc-peerings/:id", "vpc_peering:read", PCX, "Show a peering"),
  deleteVpcPeering: route(
    "DELETE",
    "/v1/vpc-peerings/:id",
    "vpc_peering:delete",
    PCX,
    "Delete a peering or withdraw a request",
  ),
  acceptVpcPeering: route(
    "POST",
    "/v1/vpc-peerings/:id/accept",
    "vpc_peering:accept",
    PCX,
    "Accept a peering request",
  ),
  rejectVpcPeering: route(
    "POST",
    "/v1/vpc-peerings/:id/reject",
    "vpc_peering:accept",
    PCX,
    "Reject a peering request",
  ),
  updateVpcPeeringOptions: route(
    "PATCH",
    "/v1/vpc-peerings/:id/options",
    "vpc_peering:update",
    PCX,
    "Change the options of the caller's side",
  ),
  showVpcPeeringFlows: route(
    "GET",
    "/v1/vpc-peerings/:id/flows",
    "vpc_peering:read",
    PCX,
    "Show the OpenFlow flows of a live peering",
  ),

  explainReachability: {
    ...route(
      "POST",
      "/v1/reachability",
      "network_interface:read",
      REACHABILITY,
      "Whether a connection comes about, and what stops it",
    ),
    changesNothing: true,
  },

  listEvents: {
    ...route("GET", "/v1/events", "event:read", PLATFORM, "List what happened, in order"),
    resumes: true,
  },
  streamEvents: {
    ...route("GET", "/v1/events/stream", "event:read", PLATFORM, "Follow what happens"),
    resumes: true,
  },
  showDataPlane: route(
    "GET",
    "/v1/data-plane",
    "data_plane:read",
    PLATFORM,
    "Show what is known of the switch",
  ),
  reconcileDataPlane: route(
    "POST",
    "/v1/data-plane/reconcile",
    "data_plane:reconcile",
    PLATFORM,
    "Compare the switch with intent and repair it",
  ),

  livez: route("GET", "/livez", "anybody", SYSTEM, "Whether the process runs"),
  readyz: route("GET", "/readyz", "anybody", SYSTEM, "Whether the daemon can serve requests"),
  metrics: route(
    "GET",
    "/metrics",
    "loopback-or-operator",
    SYSTEM,
    "Metrics in Prometheus' text format",
  ),
  openapi: route("GET", "/openapi.json", "anybody", SYSTEM, "This description"),
} as const satisfies Record<string, RouteEntry>;

export type OperationId = keyof typeof ROUTES;

export function operationIds(): OperationId[] {
  return Object.keys(ROUTES) as OperationId[];
}

export function routeEntry(operationId: OperationId): RouteEntry {
  return ROUTES[operationId];
}

export function changesSomething({ method, changesNothing = false }: RouteEntry): boolean {
  return method !== "GET" && !changesNothing;
}

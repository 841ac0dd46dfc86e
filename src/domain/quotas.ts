import { DomainError, type ErrorCode } from "./errors.js";

/** How much there may be of what is counted. */
export interface Quotas {
  /** Checked on accept, for both sides. */
  readonly livePeeringsPerVpc: number;
  /** Requests that a tenant has sent and nobody has answered. */
  readonly pendingRequestsPerTenant: number;
  readonly vpcsPerTenant: number;
  readonly blocksPerVpc: number;
  readonly routeTablesPerVpc: number;
  /** Local routes do not count. */
  readonly routesPerTable: number;
  readonly securityGroupsPerVpc: number;
  /** Of one group, ingress and egress counted apart. */
  readonly rulesPerDirection: number;
  readonly securityGroupsPerInterface: number;
}

export const DEFAULT_QUOTAS: Quotas = {
  livePeeringsPerVpc: 125,
  pendingRequestsPerTenant: 25,
  vpcsPerTenant: 1000,
  blocksPerVpc: 5,
  routeTablesPerVpc: 200,
  routesPerTable: 1000,
  securityGroupsPerVpc: 500,
  rulesPerDirection: 60,
  securityGroupsPerInterface: 5,
};

const EXCEEDED: Record<keyof Quotas, { code: ErrorCode; what: string }> = {
  livePeeringsPerVpc: {
    code: "ActiveVpcPeeringConnectionPerVpcLimitExceeded",
    what: "live peerings of a VPC",
  },
  pendingRequestsPerTenant: {
    code: "PendingVpcPeeringConnectionLimitExceeded",
    what: "pending peering requests that a tenant has sent",
  },
  vpcsPerTenant: { code: "VpcLimitExceeded", what: "VPCs of a tenant" },
  blocksPerVpc: { code: "CidrBlockLimitExceeded", what: "CIDR blocks of a VPC" },
  routeTablesPerVpc: { code: "RouteTableLimitExceeded", what: "route tables of a VPC" },
  routesPerTable: { code: "RouteLimitExceeded", what: "routes of a route table" },
  securityGroupsPerVpc: {
    code: "SecurityGroupLimitExceeded",
    what: "security groups of a VPC",
  },
  rulesPerDirection: {
    code: "RulesPerSecurityGroupLimitExceeded",
    what: "rules of a security group in one direction",
  },
  securityGroupsPerInterface: {
    code: "SecurityGroupsPerInterfaceLimitExceeded",
    what: "security groups of a network interface",
  },
};

/**
 * Lets `more` be added to the `present` ones, or not.
 * @throws DomainError with the code of the quota
 */
export function requireQuota(quotas: Quotas, quota: keyof Quotas, present: number, more = 1): void {
  if (present + more <= quotas[quota]) return;
  const { code, what } = EXCEEDED[quota];
  throw new DomainError(code, `the quota of ${quotas[quota]} ${what} is used up`);
}

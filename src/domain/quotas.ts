import { DomainError, type ErrorCode, type ErrorContext } from "./errors.js";

/** For how long a request counts against what its sender may send to the same tenant. */
export const REQUESTS_COUNTED_MS = 3_600_000;

/** How much there may be of what is counted. */
export interface Quotas {
  /** Checked on accept, for both sides. */
  readonly livePeeringsPerVpc: number;
  /** Requests that a tenant has sent and nobody has answered. */
  readonly pendingRequestsPerTenant: number;
  readonly accessKeysPerTenant: number;
  /** Requests that a tenant has sent to one other within `REQUESTS_COUNTED_MS`, whatever became of them. */
  readonly requestsPerHourToTenant: number;
  readonly vpcsPerTenant: number;
  readonly blocksPerVpc: number;
  readonly routeTablesPerVpc: number;
  /** Local routes do not count. */
  readonly routesPerTable: number;
  readonly securityGroupsPerVpc: number;
  /** Of one group, ingress and egress counted apart. */
  readonly rulesPerDirection: number;
  readonly securityGroupsPerInterface: number;
  /** The primary one included. */
  readonly privateIpsPerInterface: number;
  readonly addressPairsPerInterface: number;
  /** Interfaces that have a pair of the same addresses: each gets a copy of what is sent there. */
  readonly interfacesPerAddressPair: number;
  readonly subnetsPerVpc: number;
  readonly interfacesPerSubnet: number;
  /** Here and below each secondary address and each address pair counts as another interface. */
  readonly interfacesPerVpc: number;
  readonly interfacesPerTenant: number;
  /** Of a peer's group that a rule names, how many addresses of members are in force. Nobody is refused. */
  readonly peerGroupMembers: number;
  /** Event streams that one credential has open, and all those of a tenant. */
  readonly streamsPerKey: number;
  readonly streamsPerTenant: number;
  /** All of the daemon's. */
  readonly streams: number;
}

/** Those beyond which something is refused. */
export type RefusingQuota = Exclude<keyof Quotas, "peerGroupMembers">;

export const DEFAULT_QUOTAS: Quotas = {
  livePeeringsPerVpc: 125,
  pendingRequestsPerTenant: 25,
  accessKeysPerTenant: 50,
  requestsPerHourToTenant: 60,
  vpcsPerTenant: 1000,
  blocksPerVpc: 5,
  routeTablesPerVpc: 200,
  routesPerTable: 1000,
  securityGroupsPerVpc: 500,
  rulesPerDirection: 60,
  securityGroupsPerInterface: 5,
  privateIpsPerInterface: 50,
  addressPairsPerInterface: 10,
  interfacesPerAddressPair: 8,
  subnetsPerVpc: 200,
  interfacesPerSubnet: 4096,
  interfacesPerVpc: 65_000,
  interfacesPerTenant: 100_000,
  peerGroupMembers: 1000,
  streamsPerKey: 16,
  streamsPerTenant: 64,
  streams: 1024,
};

const EXCEEDED: Record<RefusingQuota, { code: ErrorCode; what: string }> = {
  livePeeringsPerVpc: {
    code: "ActiveVpcPeeringConnectionPerVpcLimitExceeded",
    what: "live peerings of a VPC",
  },
  pendingRequestsPerTenant: {
    code: "PendingVpcPeeringConnectionLimitExceeded",
    what: "pending peering requests that a tenant has sent",
  },
  accessKeysPerTenant: { code: "AccessKeyLimitExceeded", what: "access keys of a tenant" },
  requestsPerHourToTenant: {
    code: "PendingVpcPeeringConnectionLimitExceeded",
    what: "peering requests that a tenant may send to one other within an hour",
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
  privateIpsPerInterface: {
    code: "PrivateIpAddressLimitExceeded",
    what: "private addresses of a network interface",
  },
  addressPairsPerInterface: {
    code: "AddressPairLimitExceeded",
    what: "allowed address pairs of a network interface",
  },
  interfacesPerAddressPair: {
    code: "AddressPairLimitExceeded",
    what: "network interfaces with an address pair of the same addresses",
  },
  subnetsPerVpc: { code: "SubnetLimitExceeded", what: "subnets of a VPC" },
  interfacesPerSubnet: {
    code: "NetworkInterfaceLimitExceeded",
    what: "network interfaces of a subnet",
  },
  interfacesPerVpc: {
    code: "NetworkInterfaceLimitExceeded",
    what: "network interfaces of a VPC, with their further addresses,",
  },
  interfacesPerTenant: {
    code: "NetworkInterfaceLimitExceeded",
    what: "network interfaces of a tenant, with their further addresses,",
  },
  streamsPerKey: { code: "TooManyStreams", what: "event streams of a credential" },
  streamsPerTenant: { code: "TooManyStreams", what: "event streams of a tenant" },
  streams: { code: "TooManyStreams", what: "event streams of the daemon" },
};

/**
 * Lets `more` be added to the `present` ones, or not.
 * @throws DomainError with the code of the quota
 */
export function requireQuota(
  quotas: Quotas,
  quota: RefusingQuota,
  present: number,
  more = 1,
): void {
  if (present + more > quotas[quota]) throw quotaExceeded(quotas, quota);
}

export function quotaExceeded(
  quotas: Quotas,
  quota: RefusingQuota,
  context: ErrorContext = {},
): DomainError {
  const { code, what } = EXCEEDED[quota];
  return new DomainError(code, `the quota of ${quotas[quota]} ${what} is used up`, context);
}

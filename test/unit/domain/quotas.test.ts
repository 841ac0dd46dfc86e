import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.js";
import { DEFAULT_QUOTAS, type RefusingQuota, requireQuota } from "../../../src/domain/quotas.js";

/** The contract, written out once more by hand. */
const EXPECTED: Record<RefusingQuota, [number, string]> = {
  livePeeringsPerVpc: [125, "ActiveVpcPeeringConnectionPerVpcLimitExceeded"],
  pendingRequestsPerTenant: [25, "PendingVpcPeeringConnectionLimitExceeded"],
  accessKeysPerTenant: [50, "AccessKeyLimitExceeded"],
  requestsPerHourToTenant: [60, "PendingVpcPeeringConnectionLimitExceeded"],
  vpcsPerTenant: [1000, "VpcLimitExceeded"],
  blocksPerVpc: [5, "CidrBlockLimitExceeded"],
  routeTablesPerVpc: [200, "RouteTableLimitExceeded"],
  routesPerTable: [1000, "RouteLimitExceeded"],
  securityGroupsPerVpc: [500, "SecurityGroupLimitExceeded"],
  rulesPerDirection: [60, "RulesPerSecurityGroupLimitExceeded"],
  securityGroupsPerInterface: [5, "SecurityGroupsPerInterfaceLimitExceeded"],
  privateIpsPerInterface: [50, "PrivateIpAddressLimitExceeded"],
  addressPairsPerInterface: [10, "AddressPairLimitExceeded"],
  interfacesPerAddressPair: [8, "AddressPairLimitExceeded"],
  subnetsPerVpc: [200, "SubnetLimitExceeded"],
  interfacesPerSubnet: [4096, "NetworkInterfaceLimitExceeded"],
  interfacesPerVpc: [65_000, "NetworkInterfaceLimitExceeded"],
  interfacesPerTenant: [100_000, "NetworkInterfaceLimitExceeded"],
  streamsPerKey: [16, "TooManyStreams"],
  streamsPerTenant: [64, "TooManyStreams"],
  streams: [1024, "TooManyStreams"],
};

function refusal(quota: RefusingQuota, present: number, more?: number): unknown {
  try {
    requireQuota(DEFAULT_QUOTAS, quota, present, more);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

describe.each(Object.entries(EXPECTED))("the quota %s", (name, [most, code]) => {
  const quota = name as RefusingQuota;

  it(`is ${most} unless told otherwise`, () => expect(DEFAULT_QUOTAS[quota]).toBe(most));

  it("lets the last one in, and no other", () => {
    expect(refusal(quota, most - 1)).toBeUndefined();
    expect(refusal(quota, most)).toBe(code);
  });

  it("lets many in together or not at all", () => {
    expect(refusal(quota, most - 3, 3)).toBeUndefined();
    expect(refusal(quota, most - 2, 3)).toBe(code);
    expect(refusal(quota, most, 0)).toBeUndefined();
  });
});

it("says how much is allowed", () => {
  const quotas = { ...DEFAULT_QUOTAS, blocksPerVpc: 2 };
  expect(() => requireQuota(quotas, "blocksPerVpc", 2)).toThrow(
    "the quota of 2 CIDR blocks of a VPC is used up",
  );
});

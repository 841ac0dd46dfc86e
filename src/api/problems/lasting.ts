import type { PROBLEMS, ProblemCode } from "./codes.js";

/** Codes of refusals that tell of what is there, or is not. */
type Refusal = {
  [Code in ProblemCode]: (typeof PROBLEMS)[Code][0] extends 404 | 409 ? Code : never;
}[ProblemCode];

/**
 * Whether the same call is to be refused for as long as its idempotency key is remembered.
 *
 * "lasting": a resource that is not there, whose id is never given to another, or one that is there
 * and has what the call asks for. Who changes that asks anew, with another key; a call that was
 * delayed on its way must not come true when the caller has gone on to something else.
 *
 * "passing": for want of room, because of what is under way or depends on it, or of the doings of
 * others. Nothing was changed, and the same call may succeed a moment later: who repeats it with the
 * same key is to get there.
 */
const REFUSALS: Record<Refusal, "lasting" | "passing"> = {
  NotFound: "lasting",
  // An id of a tenant may be chosen, and a key may be used again once it is.
  "InvalidTenantID.NotFound": "passing",
  "InvalidAccessKeyID.NotFound": "lasting",
  "InvalidVpcID.NotFound": "lasting",
  "InvalidSubnetID.NotFound": "lasting",
  "InvalidNetworkInterfaceID.NotFound": "lasting",
  "InvalidVpcPeeringConnectionID.NotFound": "lasting",
  "InvalidRouteTableID.NotFound": "lasting",
  // Also of a peer's group that can be named once the peering is active.
  "InvalidGroup.NotFound": "passing",
  "InvalidSecurityGroupRuleId.NotFound": "lasting",

  "InvalidGroup.Duplicate": "lasting",
  "InvalidPermission.Duplicate": "lasting",
  TenantAlreadyExists: "lasting",
  "InvalidSubnet.Conflict": "lasting",
  PrivateIpInUse: "lasting",
  MacAddressInUse: "lasting",
  OverlappingCidr: "lasting",
  RouteAlreadyExists: "lasting",
  // The other side may withdraw it, or time end it.
  VpcPeeringConnectionAlreadyExists: "passing",
  VpcPeeringConnectionDeleting: "passing",
  // Of the call's resource, which may go on to a state in which the call is legal.
  InvalidStateTransition: "passing",
  DependencyViolation: "passing",

  InsufficientFreeAddressesInSubnet: "passing",
  ActiveVpcPeeringConnectionPerVpcLimitExceeded: "passing",
  PendingVpcPeeringConnectionLimitExceeded: "passing",
  AccessKeyLimitExceeded: "passing",
  VpcLimitExceeded: "passing",
  CidrBlockLimitExceeded: "passing",
  RouteTableLimitExceeded: "passing",
  RouteLimitExceeded: "passing",
  SecurityGroupLimitExceeded: "passing",
  RulesPerSecurityGroupLimitExceeded: "passing",
  SecurityGroupsPerInterfaceLimitExceeded: "passing",
  PrivateIpAddressLimitExceeded: "passing",
  AddressPairLimitExceeded: "passing",
  SubnetLimitExceeded: "passing",
  NetworkInterfaceLimitExceeded: "passing",

  IdempotentParameterMismatch: "passing",
  IdempotentRequestInProgress: "passing",
};

export function isLasting(code: ProblemCode): boolean {
  const refusals: Partial<Record<ProblemCode, "lasting" | "passing">> = REFUSALS;
  return refusals[code] === "lasting";
}

import type { ErrorCode } from "../../domain/errors.js";

/** Codes that HTTP itself gives rise to, beside the domain's. */
export type HttpErrorCode =
  | "MethodNotAllowed"
  | "RequestTimeout"
  | "PreconditionFailed"
  | "PayloadTooLarge"
  | "UnsupportedMediaType"
  | "RangeNotSatisfiable"
  | "ExpectationFailed"
  | "TooManyRequests"
  | "RequestHeaderFieldsTooLarge"
  | "InternalError"
  | "NotImplemented";

export type ProblemCode = ErrorCode | HttpErrorCode;

/** The one place where error codes meet HTTP: status and title of every code. */
export const PROBLEMS = {
  ValidationError: [400, "The request is not valid"],
  InvalidParameterValue: [400, "A value is not acceptable"],
  InvalidVpcRange: [400, "A VPC cannot have this block"],
  "InvalidSubnet.Range": [400, "A subnet cannot have this block"],
  Unauthenticated: [401, "A valid credential is needed"],
  Forbidden: [403, "The credential does not allow this"],
  NotFound: [404, "Not found"],
  "InvalidTenantID.NotFound": [404, "There is no such tenant"],
  "InvalidAccessKeyID.NotFound": [404, "There is no such access key"],
  "InvalidVpcID.NotFound": [404, "There is no such VPC"],
  "InvalidSubnetID.NotFound": [404, "There is no such subnet"],
  "InvalidNetworkInterfaceID.NotFound": [404, "There is no such network interface"],
  "InvalidVpcPeeringConnectionID.NotFound": [404, "There is no such VPC peering"],
  "InvalidRouteTableID.NotFound": [404, "There is no such route table"],
  "InvalidGroup.NotFound": [404, "There is no such security group"],
  "InvalidSecurityGroupRuleId.NotFound": [404, "There is no such rule"],
  MethodNotAllowed: [405, "The path does not take this method"],
  RequestTimeout: [408, "The request did not come to its end in time"],
  "InvalidGroup.Duplicate": [409, "The VPC has a security group of this name"],
  "InvalidPermission.Duplicate": [409, "The security group has this rule already"],
  TenantAlreadyExists: [409, "The tenant exists already"],
  "InvalidSubnet.Conflict": [409, "The block overlaps another subnet"],
  InsufficientFreeAddressesInSubnet: [409, "The subnet has no free address"],
  PrivateIpInUse: [409, "The address is in use"],
  MacAddressInUse: [409, "The MAC address is in use"],
  DependencyViolation: [409, "Other resources depend on it"],
  OverlappingCidr: [409, "The blocks of the two VPCs overlap"],
  RouteAlreadyExists: [409, "The destination is routed already"],
  VpcPeeringConnectionAlreadyExists: [409, "The two VPCs have a peering already"],
  VpcPeeringConnectionDeleting: [409, "A peering of the two VPCs is being deleted"],
  ActiveVpcPeeringConnectionPerVpcLimitExceeded: [409, "A VPC has no room for more live peerings"],
  PendingVpcPeeringConnectionLimitExceeded: [409, "Too many peering requests were sent"],
  AccessKeyLimitExceeded: [409, "The tenant has no room for more access keys"],
  VpcLimitExceeded: [409, "The tenant has no room for more VPCs"],
  CidrBlockLimitExceeded: [409, "The VPC has no room for more blocks"],
  RouteTableLimitExceeded: [409, "The VPC has no room for more route tables"],
  RouteLimitExceeded: [409, "The route table has no room for more routes"],
  SecurityGroupLimitExceeded: [409, "The VPC has no room for more security groups"],
  RulesPerSecurityGroupLimitExceeded: [409, "The security group has no room for more rules"],
  SecurityGroupsPerInterfaceLimitExceeded: [409, "The interface has no room for more groups"],
  PrivateIpAddressLimitExceeded: [409, "The interface has no room for more addresses"],
  AddressPairLimitExceeded: [409, "There is no room for more address pairs"],
  SubnetLimitExceeded: [409, "The VPC has no room for more subnets"],
  NetworkInterfaceLimitExceeded: [409, "There is no room for more network interfaces"],
  IdempotentParameterMismatch: [409, "The idempotency key belongs to another request"],
  IdempotentRequestInProgress: [409, "The request with this idempotency key is under way"],
  InvalidStateTransition: [409, "Not possible in the present state"],
  Gone: [410, "What was asked for is not there any more"],
  PreconditionFailed: [412, "A condition of the request is not met"],
  PayloadTooLarge: [413, "The body is too large"],
  UnsupportedMediaType: [415, "The body has a content type or encoding that is not taken"],
  RangeNotSatisfiable: [416, "The range lies beyond the end"],
  ExpectationFailed: [417, "The expectation cannot be met"],
  TooManyRequests: [429, "Too many requests"],
  TooManyStreams: [429, "Too many event streams"],
  RequestHeaderFieldsTooLarge: [431, "The header of the request is too large"],
  InternalError: [500, "Internal error"],
  NotImplemented: [501, "Nothing here works that way"],
  DatabaseHeldByAnother: [503, "Another daemon holds the database"],
  SwitchHeldByAnother: [503, "Another daemon holds the switch"],
  ServiceUnavailable: [503, "Temporarily unavailable"],
  DatabaseUnreachable: [503, "The database does not answer"],
  DatabaseRefused: [503, "The database refuses access"],
  DatabaseMissing: [503, "The database is not there"],
  DatabaseDamaged: [503, "The database is damaged"],
  DatabaseMoved: [503, "The database is not in its place"],
  DatabaseReadOnly: [503, "The database takes no changes"],
  DatabaseFull: [503, "The database is full"],
  DatabaseBusy: [503, "The database is busy"],
  DatabaseLocked: [503, "The database is locked"],
  DatabaseTimeout: [503, "The database takes too long"],
} as const satisfies Record<ProblemCode, readonly [status: number, title: string]>;

/** Seconds until a call that was answered 503 may be worth repeating, where it is not at once. */
const PAUSES: Partial<Record<ProblemCode, number>> = {
  DatabaseRefused: 10,
  DatabaseMissing: 10,
  DatabaseDamaged: 10,
  DatabaseMoved: 10,
  DatabaseReadOnly: 5,
  DatabaseFull: 5,
};

export function retryAfterSeconds(code: ProblemCode): number {
  return PAUSES[code] ?? 1;
}

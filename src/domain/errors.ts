/** Every error code that a caller may see. Transport-free: the HTTP status is the API's business. */
export type ErrorCode =
  | "ValidationError"
  | "InvalidParameterValue"
  | "InvalidVpcRange"
  | "InvalidSubnet.Range"
  | "Unauthenticated"
  | "Forbidden"
  | "NotFound"
  | "InvalidTenantID.NotFound"
  | "InvalidAccessKeyID.NotFound"
  | "InvalidVpcID.NotFound"
  | "InvalidSubnetID.NotFound"
  | "InvalidNetworkInterfaceID.NotFound"
  | "InvalidVpcPeeringConnectionID.NotFound"
  | "InvalidRouteTableID.NotFound"
  | "InvalidGroup.NotFound"
  | "InvalidSecurityGroupRuleId.NotFound"
  | "InvalidGroup.Duplicate"
  | "InvalidPermission.Duplicate"
  | "TenantAlreadyExists"
  | "InvalidSubnet.Conflict"
  | "InsufficientFreeAddressesInSubnet"
  | "PrivateIpInUse"
  | "MacAddressInUse"
  | "DependencyViolation"
  | "OverlappingCidr"
  | "RouteAlreadyExists"
  | "VpcPeeringConnectionAlreadyExists"
  | "VpcPeeringConnectionDeleting"
  | "ActiveVpcPeeringConnectionPerVpcLimitExceeded"
  | "PendingVpcPeeringConnectionLimitExceeded"
  | "AccessKeyLimitExceeded"
  | "VpcLimitExceeded"
  | "CidrBlockLimitExceeded"
  | "RouteTableLimitExceeded"
  | "RouteLimitExceeded"
  | "SecurityGroupLimitExceeded"
  | "RulesPerSecurityGroupLimitExceeded"
  | "SecurityGroupsPerInterfaceLimitExceeded"
  | "PrivateIpAddressLimitExceeded"
  | "AddressPairLimitExceeded"
  | "SubnetLimitExceeded"
  | "NetworkInterfaceLimitExceeded"
  | "IdempotentParameterMismatch"
  | "IdempotentRequestInProgress"
  | "InvalidStateTransition"
  | "Gone"
  | "TooManyStreams"
  | "SwitchHeldByAnother"
  | "DatabaseHeldByAnother"
  | "ServiceUnavailable"
  | "DatabaseUnreachable"
  | "DatabaseRefused"
  | "DatabaseMissing"
  | "DatabaseDamaged"
  | "DatabaseMoved"
  | "DatabaseReadOnly"
  | "DatabaseFull"
  | "DatabaseBusy"
  | "DatabaseLocked"
  | "DatabaseTimeout";

export interface ErrorContext {
  /** JSON pointer (RFC 6901) to the field of the request body that is at fault. */
  readonly pointer?: string;
  /** Ids of the resources that stand in the way. */
  readonly blockedBy?: readonly string[];
  /** When the same call may succeed without anything else being done, in whole seconds. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** What is in use may be in use by tens of thousands: so many are named, and nobody reads more. */
export const MOST_NAMED = 100;

/** @param ids of what uses it; to have `MOST_NAMED + 1` of them is enough */
export function inUse(
  what: string,
  ids: readonly string[],
  context: Pick<ErrorContext, "retryAfterSeconds"> = {},
): DomainError {
  const blockedBy = ids.slice(0, MOST_NAMED);
  const others = ids.length > MOST_NAMED ? " and others" : "";
  const detail = `${what} is in use by ${blockedBy.join(", ")}${others}`;
  return new DomainError("DependencyViolation", detail, { ...context, blockedBy });
}

/** An outcome that the caller must be told about; `message` is written for the caller. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly pointer: string | undefined;
  readonly blockedBy: readonly string[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "DomainError";
    this.code = code;
    this.pointer = context.pointer;
    this.blockedBy = context.blockedBy;
    this.retryAfterSeconds = context.retryAfterSeconds;
  }
}

import type { Cidr, Ip } from "./cidr.js";
import type { IdempotencyClaim } from "./idempotency.js";
import type { PeeringRole, PeeringState } from "./lifecycle.js";
import type { TenantRole } from "./permissions.js";
import type { Traffic } from "./traffic.js";

/** Stored resources as the rest of the program knows them, free of storage and transport. */
export type Tags = Readonly<Record<string, string>>;

export interface Tenant {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly suspended: boolean;
  readonly createdAt: Date;
}

export interface AccessKey {
  readonly id: string;
  readonly number: number;
  readonly tenantId: string;
  readonly roles: readonly TenantRole[];
  readonly createdAt: Date;
  readonly name: string | null;
  /** Null: not yet, or under a release that took no note of it. */
  readonly lastUsedAt: Date | null;
}

interface Described {
  readonly name: string | null;
  readonly tags: Tags;
}

export interface Vpc extends Described {
  readonly id: string;
  readonly number: number;
  readonly tenantId: string;
  readonly blocks: ReadonlyArray<{
    readonly block: Cidr;
    readonly primary: boolean;
  }>;
  readonly generation: number;
  readonly createdAt: Date;
}

export interface Subnet extends Described {
  readonly id: string;
  readonly number: number;
  readonly tenantId: string;
  readonly vpcId: string;
  readonly block: Cidr;
  readonly gateway: Ip;
  readonly availabilityZone: string;
  /** Null: the main route table of its VPC. */
  readonly routeTableId: string | null;
  readonly generation: number;
  readonly createdAt: Date;
}

/** What an interface may send from besides its own addresses, and gets where it is nobody's own. */
export interface AddressPair {
  readonly block: Cidr;
  /** Null: the interface's own. */
  readonly macAddress: string | null;
}

export interface NetworkInterface extends Described {
  readonly id: string;
  readonly number: number;
  readonly tenantId: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly privateIp: Ip;
  readonly secondaryPrivateIps: readonly Ip[];
  readonly macAddress: string;
  readonly allowedAddressPairs: readonly AddressPair[];
  /** The gateway of its subnet. */
  readonly gateway: Ip;
  /** In the order in which the groups were made. */
  readonly securityGroupIds: readonly string[];
  readonly generation: number;
  readonly createdAt: Date;
}

export interface VpcPeeringSide extends Described {
  readonly tenantId: string;
  readonly vpcId: string;
  readonly blocks: readonly Cidr[];
  readonly autoRoutes: boolean;
  readonly allowDnsResolutionFromRemoteVpc: boolean;
  /** Set once the peering has ended: from then on this side does not see it any more. */
  readonly hiddenAt: Date | null;
}

export interface VpcPeering {
  readonly id: string;
  readonly number: number;
  readonly state: PeeringState;
  readonly statusMessage: string;
  readonly requester: VpcPeeringSide;
  readonly accepter: VpcPeeringSide;
  /** Set on a request that cannot succeed: when it turns `failed`. The accepter never sees it. */
  readonly doomedAt: Date | null;
  readonly generation: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly activatedAt: Date | null;
  readonly endedAt: Date | null;
  /** The tenant whose call ended it, or asked for that. */
  readonly endedByTenantId: string | null;
}

export type RuleDirection = "ingress" | "egress";

/** The other end of a rule. A group may be of a VPC that is peered with the rule's own. */
export type SecurityGroupRulePeer =
  | { readonly kind: "block"; readonly block: Cidr }
  | { readonly kind: "group"; readonly groupId: string; readonly vpcId: string };

export interface SecurityGroupRule {
  readonly id: string;
  readonly number: number;
  readonly direction: RuleDirection;
  readonly traffic: Traffic;
  readonly peer: SecurityGroupRulePeer;
  readonly description: string;
  /** It names a group that is gone, or one of a VPC that no active peering leads to. */
  readonly stale: boolean;
  /** How many members of the peer's group that it names are in force, when it has more; else null. */
  readonly limitedTo: number | null;
  readonly createdAt: Date;
}

export interface SecurityGroup {
  readonly id: string;
  readonly number: number;
  readonly tenantId: string;
  readonly vpcId: string;
  readonly name: string;
  readonly description: string;
  /** What an interface made without groups gets. */
  readonly isDefault: boolean;
  readonly tags: Tags;
  readonly rules: readonly SecurityGroupRule[];
  readonly generation: number;
  readonly createdAt: Date;
}

export type RouteOrigin = "local" | "user" | "peering";

/** A stored route; the local ones follow from the blocks of the VPC. */
export interface Route {
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
  readonly origin: Exclude<RouteOrigin, "local">;
  /** Whether packets go to the peering; otherwise they are dropped. */
  readonly active: boolean;
}

/**
 * An automatic route that did not come, because it was contested or the table was full. It does not
 * come by itself any more; its owner may add it.
 */
export interface WithheldRoute {
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
  /** The peering whose traffic it would have taken; null: the table was full. */
  readonly contestedBy: string | null;
  readonly withheldAt: Date;
}

export interface RouteTable {
  readonly id: string;
  readonly number: number;
  readonly tenantId: string;
  readonly vpcId: string;
  readonly main: boolean;
  /** The blocks of the VPC: the local routes. */
  readonly vpcBlocks: readonly Cidr[];
  readonly routes: readonly Route[];
  readonly withheldRoutes: readonly WithheldRoute[];
  /** Ids of the subnets associated with it, which for the main table are none. */
  readonly associations: readonly string[];
  /** Of its VPC: peerings and blocks change routes as much as calls to the table do. */
  readonly generation: number;
  readonly createdAt: Date;
}

/** One row of the event list: what happened to a resource. */
export interface ResourceEvent {
  /** The generation of the change; commit order. */
  readonly id: number;
  readonly time: Date;
  readonly actor: Actor;
  readonly resourceType: ResourceType;
  readonly resourceId: string;
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
}

export const RESOURCE_TYPES = [
  "tenant",
  "access-key",
  "vpc",
  "subnet",
  "network-interface",
  "route-table",
  "route",
  "security-group",
  "vpc-peering",
  "bridge",
] as const;

export type ResourceType = (typeof RESOURCE_TYPES)[number];

/** Who did it. The access key is shown to its own tenant and to the operator only. */
export interface Actor {
  readonly kind: "operator" | "access-key" | "system";
  readonly tenantId: string | null;
  readonly accessKeyId: string | null;
  /** Of the call in which it is done, where that has one; not part of the event. */
  readonly claim?: IdempotencyClaim;
}

/** The daemon itself. */
export const SYSTEM: Actor = { kind: "system", tenantId: null, accessKeyId: null };

/** One page of a list in stable order. `next` continues after it; null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}

export interface PageRequest {
  readonly limit: number;
  /** The `number` of the last item already seen. */
  readonly after: number;
}

/** A role that somebody of `tenantId` has in a peering; within one tenant it is both. */
export function rolesIn(peering: VpcPeering, tenantId: string): PeeringRole[] {
  const roles: PeeringRole[] = [];
  if (peering.requester.tenantId === tenantId) roles.push("requester");
  if (peering.accepter.tenantId === tenantId) roles.push("accepter");
  return roles;
}

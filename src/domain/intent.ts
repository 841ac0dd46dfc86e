import type { Cidr, Ip } from "./cidr.js";
import type { Traffic } from "./traffic.js";

/** What tenants stored, as far as a switch is concerned. Numbers are unique and never used again. */
export interface VpcIntent {
  readonly id: string;
  readonly number: number;
  /** The generation in which this VPC, or a peering of it, last changed. */
  readonly generation: number;
  readonly blocks: readonly Cidr[];
  readonly subnets: readonly SubnetIntent[];
  readonly interfaces: readonly InterfaceIntent[];
  readonly securityGroups: readonly SecurityGroupIntent[];
  /** Who is meant by the rules of these groups that name a group, as far as they are in force. */
  readonly peerGroups: readonly PeerGroupIntent[];
  readonly routeTables: readonly RouteTableIntent[];
}

export interface SubnetIntent {
  readonly id: string;
  readonly block: Cidr;
  readonly gateway: Ip;
  /** Number of the route table that it is associated with, or of the main one. */
  readonly routeTable: number;
}

export interface RouteTableIntent {
  readonly id: string;
  readonly number: number;
  /** Routes besides the local ones; no destination stands twice. */
  readonly routes: readonly RouteIntent[];
}

export interface RouteIntent {
  readonly destination: Cidr;
  /** Number of the peering that it leads to; null for a blackhole. */
  readonly peering: number | null;
}

export interface InterfaceIntent {
  readonly id: string;
  readonly number: number;
  readonly subnetId: string;
  /** The primary address. */
  readonly ip: Ip;
  /** Own addresses besides. */
  readonly secondaryIps: readonly Ip[];
  readonly mac: string;
  /** What it may send from besides, and gets where it is nobody's own; no block stands twice. */
  readonly addressPairs: readonly AddressPairIntent[];
  /** Numbers of its security groups, lowest first. */
  readonly groups: readonly number[];
}

export interface AddressPairIntent {
  readonly block: Cidr;
  readonly mac: string;
}

export interface SecurityGroupIntent {
  readonly id: string;
  readonly number: number;
  readonly rules: readonly RuleIntent[];
}

/** Something that a security group allows; what no rule allows is refused. */
export interface RuleIntent {
  readonly id: string;
  readonly number: number;
  readonly direction: "ingress" | "egress";
  readonly traffic: Traffic;
  readonly peer: RulePeer;
}

/** The other end that a rule allows: addresses, or the members of a group, by its number. */
export type RulePeer =
  | { readonly kind: "block"; readonly block: Cidr }
  | { readonly kind: "group"; readonly id: string; readonly group: number };

/** The members of a group that some rule names. */
export interface PeerGroupIntent {
  readonly group: number;
  /** Number of the peering that leads to the group's VPC; 0 for the same VPC. */
  readonly peering: number;
  /** The VPC whose group it is. */
  readonly vpcId: string;
  /** Those in force, in the order of their interfaces' numbers. */
  readonly members: readonly MemberIntent[];
  /** Whether it has more: of a peer's group only so many are in force as the quota says. */
  readonly limited: boolean;
}

/** A network interface, as rules of others see it. */
export interface MemberIntent extends Pick<InterfaceIntent, "id" | "ip" | "secondaryIps"> {
  readonly addressPairs: readonly Pick<AddressPairIntent, "block">[];
}

export interface PeeringSide {
  readonly vpcId: string;
  readonly vpcNumber: number;
  readonly blocks: readonly Cidr[];
}

/** A live peering. */
export interface PeeringIntent {
  readonly id: string;
  readonly number: number;
  readonly requester: PeeringSide;
  readonly accepter: PeeringSide;
  /** False while it is being deleted: its flows must go. */
  readonly admitted: boolean;
  /** Whether its state still waits for the switch to confirm it. */
  readonly settling?: boolean;
}

/** The VPCs that a piece of work is about. */
export type Scope = "all" | ReadonlySet<string>;

/**
 * Intent read in one transaction. A VPC of the scope that is not in `vpcs` does not exist (any
 * more). `peerings` holds every live peering with at least one side in the scope.
 */
export interface IntentSlice {
  readonly scope: Scope;
  readonly generation: number;
  readonly vpcs: ReadonlyMap<string, VpcIntent>;
  readonly peerings: readonly PeeringIntent[];
}

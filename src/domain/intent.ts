import type { Cidr, Ip } from "./cidr.js";

/** What tenants stored, as far as a switch is concerned. Numbers are unique and never used again. */
export interface VpcIntent {
  readonly id: string;
  readonly number: number;
  /** The generation in which this VPC, or a peering of it, last changed. */
  readonly generation: number;
  readonly blocks: readonly Cidr[];
  readonly subnets: readonly SubnetIntent[];
  readonly interfaces: readonly InterfaceIntent[];
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
  readonly ip: Ip;
  readonly mac: string;
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

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
}

export interface SubnetIntent {
  readonly id: string;
  readonly block: Cidr;
  readonly gateway: Ip;
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
  /** Whether this side's main routes lead to every block of the other side. */
  readonly autoRoutes: boolean;
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

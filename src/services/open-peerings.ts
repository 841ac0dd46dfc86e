import type { Cidr } from "../domain/cidr.js";
import type { PeeringRole } from "../domain/lifecycle.js";
import type { VpcPeering } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { findLivePeerings, lockPendingPeerings } from "../store/vpc-peerings.js";

/** A pending or live peering as one of its VPCs sees it. */
export interface OpenPeering {
  readonly peering: VpcPeering;
  /** The role of the VPC that is looked from. */
  readonly role: PeeringRole;
  readonly peerVpcId: string;
  readonly peerBlocks: readonly Cidr[];
  readonly live: boolean;
}

/**
 * To be called under the lock on the VPC. The pending ones are locked, as by who deletes the VPC at
 * their other end, before any of these callers waits for the generation.
 */
export async function lockOpenPeerings(tx: Tx, vpcId: string): Promise<OpenPeering[]> {
  const live = await findLivePeerings(tx, [vpcId]);
  const pending = await lockPendingPeerings(tx, vpcId);
  return [
    ...live.map((peering) => seenFrom(vpcId, peering, true)),
    ...pending.map((peering) => seenFrom(vpcId, peering, false)),
  ];
}

function seenFrom(vpcId: string, peering: VpcPeering, live: boolean): OpenPeering {
  const role: PeeringRole = peering.requester.vpcId === vpcId ? "requester" : "accepter";
  const peer = role === "requester" ? peering.accepter : peering.requester;
  return { peering, role, peerVpcId: peer.vpcId, peerBlocks: peer.blocks, live };
}

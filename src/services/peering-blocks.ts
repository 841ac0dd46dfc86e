import type { Cidr } from "../domain/cidr.js";
import type { PeeringRole } from "../domain/lifecycle.js";
import type { VpcPeering } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { recordBlocks } from "../store/vpc-peerings.js";
import { placeRoutes } from "./auto-routes.js";
import type { ServiceContext } from "./context.js";
import type { OpenPeering } from "./open-peerings.js";
import type { Withheld } from "./withheld-routes.js";

/**
 * The peer of a VPC that gets another block, if it wished its routes to follow the peering, gets a
 * route to it; unless that would take the traffic of another peer or its table is full, which is its
 * own business and must not keep the other side from growing.
 * @returns what was withheld
 */
export async function addPeeringRoute(
  ctx: ServiceContext,
  tx: Tx,
  { peering, role, peerVpcId }: OpenPeering,
  block: Cidr,
): Promise<Withheld[]> {
  const peer = role === "requester" ? peering.accepter : peering.requester;
  if (!peer.autoRoutes || peering.state === "deleting") return [];
  return placeRoutes(ctx, tx, {
    vpc: { id: peerVpcId, tenantId: peer.tenantId },
    vpcPeeringId: peering.id,
    destinations: [block],
    addedLater: true,
  });
}

/** Peerings know the blocks of their VPCs, to show them when the VPC is gone. */
export async function noteBlocks(
  tx: Tx,
  peerings: readonly OpenPeering[],
  blocks: readonly Cidr[],
): Promise<void> {
  const ofRole = (wanted: PeeringRole) =>
    peerings.filter(({ role }) => role === wanted).map(({ peering }) => peering);
  const requested = ofRole("requester");
  const received = ofRole("accepter").filter(({ doomedAt }) => doomedAt === null);
  await recordBlocks(tx, idsOf(requested), "requester", blocks);
  await recordBlocks(tx, idsOf(received), "accepter", blocks);
}

function idsOf(peerings: readonly VpcPeering[]): string[] {
  return peerings.map(({ id }) => id);
}

import { type Cidr, formatCidr, overlaps } from "./cidr.js";

/** A route that is to come with a peering, by itself. */
export interface AutomaticRoute {
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
  /** For a block that a peer has added; otherwise for one that it had when it was accepted. */
  readonly addedLater: boolean;
}

/** What packets of a VPC may be meant for, besides the automatic route that is asked about. */
export interface Rivals {
  /** Those of the table that the route would come to, blackholes too. */
  readonly routes: readonly RivalRoute[];
  /** Live peerings of the table's VPC, with the blocks of its peers. */
  readonly peers: readonly RivalPeer[];
}

export interface RivalRoute {
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
}

export interface RivalPeer {
  readonly vpcPeeringId: string;
  readonly blocks: readonly Cidr[];
}

/** Why a route is contested: by a route of the table, or by a peer that has some of its addresses. */
export type Contest =
  | { readonly by: "route"; readonly destination: Cidr; readonly vpcPeeringId: string }
  | { readonly by: "peer"; readonly vpcPeeringId: string };

/**
 * Whether an automatic route would take traffic that goes to another peer, or that a blackhole
 * drops: a route that its owner has made is the owner's to take back, wherever it leads.
 */
export function findContest(
  { destination, vpcPeeringId, addedLater }: AutomaticRoute,
  { routes, peers }: Rivals,
): Contest | undefined {
  const route =
    routes.find((other) => formatCidr(other.destination) === formatCidr(destination)) ??
    routes
      // Who accepts a peering wants it in place of the default route; what a peer adds later may not.
      .filter((other) => addedLater || other.destination.prefix > 0)
      .find((other) => isRival(other) && overlaps(other.destination, destination));
  if (route !== undefined) return { by: "route", ...route };
  const peer = peers
    .filter(isRival)
    .find(({ blocks }) => blocks.some((block) => overlaps(block, destination)));
  return peer && { by: "peer", vpcPeeringId: peer.vpcPeeringId };

  function isRival(other: RivalRoute | RivalPeer): boolean {
    return other.vpcPeeringId !== vpcPeeringId;
  }
}

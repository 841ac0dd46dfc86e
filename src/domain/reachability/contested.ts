import { type Cidr, containsIp, formatCidr, formatIp, type Ip } from "../cidr.js";
import type { PeeringSeen } from "./next-hop.js";
import type { ContestedBlock, Stop, StopCode } from "./verdict.js";

/** An automatic route that did not come to a route table. */
export interface WithheldFact {
  readonly routeTableId: string;
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
}

/** What is decided for whom: the address, the table that decides, and who may be meant. */
export interface Choice {
  readonly address: Ip;
  readonly routeTableId: string;
  /** Admitted peerings of the table's VPC. */
  readonly peerings: readonly PeeringSeen[];
  readonly withheld: readonly WithheldFact[];
}

/**
 * The blocks between which a route table decides for an address; none when nobody contends. They
 * are the peers' of one VPC and what was withheld from its own table, which its owner is shown
 * anyway, and hang on nothing that is behind the peerings.
 */
export function contestedBlocks(choice: Choice): ContestedBlock[] {
  const { address, routeTableId, peerings, withheld } = choice;
  const missing = withheld
    .filter((route) => route.routeTableId === routeTableId)
    .filter(({ destination }) => containsIp(destination, address))
    .map(({ destination: block, vpcPeeringId }) => ({ block, vpcPeeringId, withheld: true }));
  const isMissing = (vpcPeeringId: string, block: Cidr) =>
    missing.some(
      (route) =>
        route.vpcPeeringId === vpcPeeringId && formatCidr(route.block) === formatCidr(block),
    );
  // A requester is not told the accepter's blocks before the peering is active.
  const others = peerings
    .filter(({ settling }) => !settling)
    .flatMap(({ id: vpcPeeringId, peer }) =>
      peer.blocks
        .filter((block) => containsIp(block, address) && !isMissing(vpcPeeringId, block))
        .map((block) => ({ block, vpcPeeringId, withheld: false })),
    );
  return missing.length > 0 || others.length > 1 ? [...missing, ...others] : [];
}

/** Where the sender's table decides, and where the receiver's does, on the way back. */
const NEAR: readonly StopCode[] = [
  "noRoute",
  "blackhole",
  "routedElsewhere",
  "notAdmitted",
  "noSuchAddress",
  "receiverNotPluggedIn",
];
const FAR: readonly StopCode[] = ["ambiguousSource", "noRouteBack"];

/** The stop, saying also that who is meant is contested, where that may be why. */
export function withContest(stop: Stop, near: () => Choice, far: () => Choice | undefined): Stop {
  const choice = NEAR.includes(stop.code) ? near() : FAR.includes(stop.code) ? far() : undefined;
  const blocks = choice === undefined ? [] : contestedBlocks(choice);
  if (choice === undefined || blocks.length === 0) return stop;
  const address = formatIp(choice.address);
  const where = choice.routeTableId;
  const candidates = blocks.map((each) => describe(each, where)).join(" and ");
  return {
    ...stop,
    reason: `${stop.reason}; ${address} is contested between the peers in ${candidates}`,
    remedy: `${stop.remedy}; where another peer is meant, a route for ${address} in ${where} to its peering`,
  };
}

function describe({ block, vpcPeeringId, withheld }: ContestedBlock, where: string): string {
  const why = withheld ? `, whose route was withheld from ${where}` : "";
  return `${vpcPeeringId} (${formatCidr(block)}${why})`;
}

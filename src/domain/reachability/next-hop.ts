import { type Cidr, containsIp, findOverlap, type Ip } from "../cidr.js";
import type { PeeringIntent, PeeringSide, SubnetIntent, VpcIntent } from "../intent.js";

/** An admitted peering as one of its VPCs sees it. */
export interface PeeringSeen {
  readonly id: string;
  readonly number: number;
  readonly own: PeeringSide;
  readonly peer: PeeringSide;
  /** Not active yet: a requester is not told the accepter's blocks before it is. */
  readonly settling: boolean;
}

export interface NextHop {
  readonly destination: Cidr;
  /** Number of the peering, 0 for the VPC itself, null for a blackhole. */
  readonly peering: number | null;
}

/** The way that a subnet's packets to an address take: the longest prefix wins. */
export function nextHop(vpc: VpcIntent, subnet: SubnetIntent, to: Ip): NextHop | undefined {
  const local = vpc.blocks.map((destination) => ({ destination, peering: 0 }));
  const table = vpc.routeTables.find(({ number }) => number === subnet.routeTable);
  const fitting = [...local, ...(table?.routes ?? [])].filter(({ destination }) =>
    containsIp(destination, to),
  );
  return fitting.sort((a, b) => b.destination.prefix - a.destination.prefix)[0];
}

export function routeTableId(vpc: VpcIntent, { routeTable }: SubnetIntent): string {
  return vpc.routeTables.find(({ number }) => number === routeTable)?.id ?? "";
}

export function admittedPeerings(peerings: readonly PeeringIntent[], vpcId: string): PeeringSeen[] {
  return peerings.flatMap(({ id, number, requester, accepter, admitted, settling = false }) => {
    if (!admitted) return [];
    const seen = { id, number, settling };
    if (requester.vpcId === vpcId) return [{ ...seen, own: requester, peer: accepter }];
    return accepter.vpcId === vpcId ? [{ ...seen, own: accepter, peer: requester }] : [];
  });
}

/** Whether another peer of the VPC has addresses that this peer has too. */
export function isContested(all: readonly PeeringSeen[], number: number): boolean {
  const blocks = all.find((peering) => peering.number === number)?.peer.blocks ?? [];
  return all.some(
    (other) => other.number !== number && findOverlap(other.peer.blocks, blocks) !== undefined,
  );
}

export function isIn(blocks: readonly Cidr[], ip: Ip): boolean {
  return blocks.some((block) => containsIp(block, ip));
}

import { type Cidr, containsIp, findOverlap, type Ip } from "../../../src/domain/cidr.js";
import type {
  InterfaceIntent,
  PeeringIntent,
  PeeringSide,
  RouteTableIntent,
  VpcIntent,
} from "../../../src/domain/intent.js";
import type { Topology } from "./topologies.js";

/** What is meant to happen, worked out from intent alone and without a flow. */

export interface Route {
  readonly destination: Cidr;
  /** 0 for the VPC itself, null for a blackhole. */
  readonly peering: number | null;
}

/** The route of the longest prefix. */
export function routeTo(vpc: VpcIntent, table: RouteTableIntent, to: Ip): Route | undefined {
  const local = vpc.blocks.map((destination) => ({ destination, peering: 0 }));
  let best: Route | undefined;
  for (const route of [...local, ...table.routes]) {
    if (!containsIp(route.destination, to)) continue;
    if (best === undefined || route.destination.prefix > best.destination.prefix) best = route;
  }
  return best;
}

/** The next hop of the longest prefix: 0 for the VPC itself, null for a blackhole or no route. */
export function nextHop(vpc: VpcIntent, table: RouteTableIntent, to: Ip): number | null {
  return routeTo(vpc, table, to)?.peering ?? null;
}

/** The route table that the subnet with this address follows; undefined outside every subnet. */
export function tableAt(vpc: VpcIntent, address: Ip): RouteTableIntent | undefined {
  const subnet = vpc.subnets.find(({ block }) => containsIp(block, address));
  return vpc.routeTables.find(({ number }) => number === subnet?.routeTable);
}

export function interfaceAt(vpc: VpcIntent, address: Ip): InterfaceIntent | undefined {
  return vpc.interfaces.find(({ ip }) => ip.value === address.value);
}

/** The own and the far side of a VPC's admitted peerings. */
export function sidesSeenFrom(
  { peerings }: Topology,
  vpcId: string,
): { peering: PeeringIntent; own: PeeringSide; peer: PeeringSide }[] {
  return peerings.flatMap((peering) => {
    const { requester, accepter, admitted } = peering;
    if (!admitted) return [];
    if (requester.vpcId === vpcId) return [{ peering, own: requester, peer: accepter }];
    return accepter.vpcId === vpcId ? [{ peering, own: accepter, peer: requester }] : [];
  });
}

/** Whether the far side of a peering has addresses that another peer of the VPC has too. */
export function isContested(topology: Topology, vpcId: string, number: number): boolean {
  const sides = sidesSeenFrom(topology, vpcId);
  const far = sides.find(({ peering }) => peering.number === number)?.peer.blocks ?? [];
  return sides.some(
    ({ peering, peer }) => peering.number !== number && findOverlap(peer.blocks, far) !== undefined,
  );
}

/** The interface that a packet is for, and gets to; undefined when it is to be dropped. */
export function receiver(
  topology: Topology,
  vpc: VpcIntent,
  from: InterfaceIntent,
  to: Ip,
): InterfaceIntent | undefined {
  const table = tableAt(vpc, from.ip);
  const hop = table === undefined ? null : nextHop(vpc, table, to);
  if (hop === 0) return interfaceAt(vpc, to);
  const sides = sidesSeenFrom(topology, vpc.id).find(({ peering }) => peering.number === hop);
  if (sides === undefined || !sides.peer.blocks.some((block) => containsIp(block, to))) {
    return undefined;
  }
  const peer = topology.vpcs.find(({ id }) => id === sides.peer.vpcId);
  if (peer === undefined || !meansSender(topology, peer, sides.peering.number, from.ip, to)) {
    return undefined;
  }
  return interfaceAt(peer, to);
}

function meansSender(
  topology: Topology,
  vpc: VpcIntent,
  number: number,
  from: Ip,
  to: Ip,
): boolean {
  if (!isContested(topology, vpc.id, number)) return true;
  const table = tableAt(vpc, to);
  return table !== undefined && nextHop(vpc, table, from) === number;
}

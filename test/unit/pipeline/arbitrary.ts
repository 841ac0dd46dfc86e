import fc from "fast-check";
import type { PeeringIntent, VpcIntent } from "../../../src/domain/intent.js";
import { peering, type Topology, vpc } from "./topologies.js";

const MOST_VPCS = 5;

/** VPCs whose blocks do not overlap, and at most one peering for each pair of them. */
export function anyTopology(): fc.Arbitrary<Topology> {
  return fc
    .integer({ min: 1, max: MOST_VPCS })
    .chain((count) => fc.tuple(fc.tuple(...numbersTo(count).map(anyVpc)), anyPairing(count)))
    .map(([vpcs, pairing]) => ({ vpcs, peerings: peeringsOf(vpcs, pairing) }));
}

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly autoRoutes: boolean;
  readonly admitted: boolean;
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function anyVpc(number: number): fc.Arbitrary<VpcIntent> {
  return fc
    .record({ subnets: fc.integer({ min: 1, max: 3 }), perSubnet: fc.integer({ min: 0, max: 3 }) })
    .map(({ subnets, perSubnet }) =>
      vpc(
        number,
        numbersTo(subnets).map((third) => `10.${number}.${third}.0/24`),
        perSubnet,
      ),
    );
}

function anyPairing(count: number): fc.Arbitrary<Pair[]> {
  const end = fc.integer({ min: 0, max: count - 1 });
  const pair = fc.record({ from: end, to: end, autoRoutes: fc.boolean(), admitted: fc.boolean() });
  return fc.uniqueArray(pair, {
    selector: ({ from, to }) => [from, to].sort().join("-"),
    maxLength: 8,
  });
}

function peeringsOf(vpcs: readonly VpcIntent[], pairing: readonly Pair[]): PeeringIntent[] {
  return pairing.flatMap(({ from, to, ...options }, index) => {
    const [requester, accepter] = [vpcs[from], vpcs[to]];
    if (requester === undefined || accepter === undefined || from === to) return [];
    return [peering(101 + index, requester, accepter, options)];
  });
}

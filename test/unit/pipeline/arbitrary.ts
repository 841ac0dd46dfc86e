import fc from "fast-check";
import { cidr, contains, findOverlap } from "../../../src/domain/cidr.js";
import type { PeeringIntent, VpcIntent } from "../../../src/domain/intent.js";
import { autoRouted, peering, type Routes, routed, type Topology, vpc } from "./topologies.js";

const MOST_VPCS = 5;

/** Few, so that VPCs often have the same addresses. */
const SECOND_OCTETS = [10, 20, 30];
const SECOND_BLOCKS = ["172.16.0.0/16", "172.17.0.0/16"];

const DESTINATIONS = [
  "0.0.0.0/0",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "172.16.128.0/17",
  "192.0.2.0/24",
  ...SECOND_OCTETS.flatMap((octet) => [
    `10.${octet}.0.0/16`,
    `10.${octet}.0.0/17`,
    `10.${octet}.2.0/24`,
    `10.${octet}.1.10/32`,
  ]),
];

interface VpcShape {
  readonly octet: number;
  readonly secondBlock: string | null;
  readonly subnets: number;
  readonly perSubnet: number;
  readonly tables: readonly (readonly RouteShape[])[];
}

interface RouteShape {
  readonly destination: string;
  /** Picks one of the VPC's peerings; null for a blackhole. */
  readonly target: number | null;
}

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly admitted: boolean;
}

/**
 * VPCs with tables of routes to their peers, and at most one peering for each pair of them, whose
 * blocks are disjoint: all that the services let come about.
 */
export function anyTopology(): fc.Arbitrary<Topology> {
  return fc
    .array(anyVpc(), { minLength: 1, maxLength: MOST_VPCS })
    .chain((shapes) => fc.tuple(fc.constant(shapes), anyPairing(shapes.length)))
    .map(([shapes, pairing]) => {
      const bare = shapes.map((shape, index) => bareVpc(index + 1, shape));
      const peerings = peeringsOf(bare, pairing);
      const vpcs = bare.map((intent, index) =>
        routed(intent, ...(shapes[index]?.tables ?? []).map((t) => routesOf(intent, peerings, t))),
      );
      return { vpcs, peerings };
    });
}

/** The same VPCs with other peerings, one after another; a peering that stays keeps its number. */
export function anyTimes(count: number): fc.Arbitrary<Topology[]> {
  return fc
    .array(anyVpc(), { minLength: 2, maxLength: MOST_VPCS })
    .chain((shapes) => {
      const pairings = fc.array(anyPairing(shapes.length), { minLength: count, maxLength: count });
      return fc.tuple(fc.constant(shapes), pairings);
    })
    .map(([shapes, pairings]) => {
      const vpcs = shapes.map((shape, index) => bareVpc(index + 1, shape));
      let before: readonly PeeringIntent[] = [];
      return pairings.map((pairing, time) => {
        const peerings = peeringsOf(vpcs, pairing, 101 + 10 * time);
        before = peerings.map((made) => before.find((old) => isSame(old, made)) ?? made);
        return autoRouted({ vpcs, peerings: before });
      });
    });
}

function isSame(a: PeeringIntent, b: PeeringIntent): boolean {
  const ends = ({ requester, accepter }: PeeringIntent) => [requester.vpcId, accepter.vpcId].join();
  return ends(a) === ends(b) && a.admitted === b.admitted;
}

function anyVpc(): fc.Arbitrary<VpcShape> {
  const route = fc.record({
    destination: fc.constantFrom(...DESTINATIONS),
    target: fc.option(fc.nat({ max: 5 }), { freq: 4 }),
  });
  return fc.record({
    octet: fc.constantFrom(...SECOND_OCTETS),
    secondBlock: fc.option(fc.constantFrom(...SECOND_BLOCKS)),
    subnets: fc.integer({ min: 1, max: 3 }),
    perSubnet: fc.integer({ min: 0, max: 2 }),
    tables: fc.array(fc.array(route, { maxLength: 5 }), { minLength: 1, maxLength: 3 }),
  });
}

function anyPairing(count: number): fc.Arbitrary<Pair[]> {
  const end = fc.integer({ min: 0, max: count - 1 });
  const admitted = fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean());
  return fc.uniqueArray(fc.record({ from: end, to: end, admitted }), {
    selector: ({ from, to }) => [from, to].sort().join("-"),
    maxLength: 8,
  });
}

function bareVpc(number: number, { octet, secondBlock, subnets, perSubnet }: VpcShape): VpcIntent {
  const blocks = Array.from({ length: subnets }, (_, i) => `10.${octet}.${i + 1}.0/24`);
  const intent = vpc(number, blocks, perSubnet);
  if (secondBlock === null) return intent;
  return { ...intent, blocks: [...intent.blocks, cidr(secondBlock)] };
}

function peeringsOf(
  vpcs: readonly VpcIntent[],
  pairing: readonly Pair[],
  first = 101,
): PeeringIntent[] {
  return pairing.flatMap(({ from, to, admitted }, index) => {
    const [requester, accepter] = [vpcs[from], vpcs[to]];
    if (requester === undefined || accepter === undefined || from === to) return [];
    if (findOverlap(requester.blocks, accepter.blocks) !== undefined) return [];
    return [peering(first + index, requester, accepter, { admitted })];
  });
}

function routesOf(
  intent: VpcIntent,
  peerings: readonly PeeringIntent[],
  shapes: readonly RouteShape[],
): Routes {
  const own = peerings.filter(
    ({ requester, accepter, admitted }) =>
      admitted && [requester.vpcId, accepter.vpcId].includes(intent.id),
  );
  const outside = ({ destination }: RouteShape) =>
    !intent.blocks.some((block) => contains(block, cidr(destination)));
  return Object.fromEntries(
    shapes.filter(outside).map(({ destination, target }) => {
      const chosen = target === null ? undefined : own[target % Math.max(1, own.length)];
      return [destination, chosen?.number ?? null];
    }),
  );
}

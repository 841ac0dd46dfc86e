import fc from "fast-check";
import { cidr } from "../../../src/domain/cidr.js";
import type {
  PeerGroupIntent,
  PeeringIntent,
  RuleIntent,
  RulePeer,
  VpcIntent,
} from "../../../src/domain/intent.js";
import { ICMP, TCP, type Traffic, UDP } from "../../../src/domain/traffic.js";
import type { Topology } from "./topologies.js";

const GROUPS_PER_VPC = 3;
const RULES_PER_GROUP = 64;

const EVERYWHERE = "0.0.0.0/0";
const BLOCKS = ["10.0.0.0/8", "10.10.0.0/16", "10.20.0.0/16", "10.20.1.10/32"];

/** What groups look like, whatever topology they come to. */
export interface Security {
  readonly groups: readonly (readonly RuleShape[])[];
  /** Picks groups of its VPC for each interface in turn. */
  readonly memberships: readonly (readonly number[])[];
}

interface RuleShape {
  readonly direction: RuleIntent["direction"];
  readonly traffic: Traffic;
  /** A block, or the group with this index among all of the topology. */
  readonly peer: string | number;
}

export const TRAFFICS: readonly Traffic[] = [
  { kind: "all" },
  { kind: "ports", protocol: TCP, from: 443, to: 443 },
  { kind: "ports", protocol: TCP, from: 400, to: 5003 },
  { kind: "ports", protocol: UDP, from: 0, to: 65_535 },
  { kind: "ports", protocol: UDP, from: 0, to: 52 },
  { kind: "icmp", type: 8, code: 0 },
  { kind: "icmp", type: 13, code: null },
  { kind: "icmp", type: null, code: null },
  { kind: "protocol", protocol: ICMP },
  { kind: "protocol", protocol: TCP },
  { kind: "protocol", protocol: 47 },
  { kind: "protocol", protocol: 0 },
];

/** Groups that let through about as much as they refuse. */
export function anySecurity(): fc.Arbitrary<Security> {
  const anything: Traffic = { kind: "all" };
  const rule = fc.record({
    direction: fc.constantFrom("ingress" as const, "egress" as const),
    traffic: fc.oneof(fc.constant(anything), fc.constantFrom(...TRAFFICS)),
    peer: fc.oneof(fc.constant(EVERYWHERE), fc.constantFrom(...BLOCKS), fc.nat({ max: 11 })),
  });
  const memberships = fc.subarray([...Array(GROUPS_PER_VPC).keys()], { minLength: 0 });
  return fc.record({
    groups: fc.array(fc.array(rule, { minLength: 1, maxLength: 6 }), {
      minLength: 4,
      maxLength: 9,
    }),
    memberships: fc.array(memberships, { minLength: 3, maxLength: 6 }),
  });
}

/** The topology with these groups, and with the members that its rules mean. */
export function secured({ vpcs, peerings }: Topology, security: Security): Topology {
  const inGroups = vpcs.map((vpc) => ({ ...vpc, interfaces: membersOf(vpc, security) }));
  const all = inGroups.flatMap(({ number }) => groupNumbers(number));
  const ruled = inGroups.map((vpc) => ({
    ...vpc,
    securityGroups: groupNumbers(vpc.number).map((number) => ({
      id: `sg-${number}`,
      number,
      rules: rulesOf(number, security, all),
    })),
  }));
  return {
    vpcs: ruled.map((vpc) => ({ ...vpc, peerGroups: meant(vpc, ruled, peerings) })),
    peerings,
  };
}

function groupNumbers(vpc: number): number[] {
  return Array.from({ length: GROUPS_PER_VPC }, (_, index) => vpc * GROUPS_PER_VPC + index);
}

function membersOf({ number, interfaces }: VpcIntent, { memberships }: Security) {
  const own = groupNumbers(number);
  return interfaces.map((eni) => ({
    ...eni,
    groups: own.filter((_, i) => memberships[eni.number % memberships.length]?.includes(i)),
  }));
}

function rulesOf(group: number, { groups }: Security, all: readonly number[]): RuleIntent[] {
  return (groups[group % groups.length] ?? []).map(({ direction, traffic, peer }, index) => {
    const number = group * RULES_PER_GROUP + index;
    return { id: `sgr-${number}`, number, direction, traffic, peer: peerOf(peer, all) };
  });
}

function peerOf(peer: string | number, all: readonly number[]): RulePeer {
  if (typeof peer === "string") return { kind: "block", block: cidr(peer) };
  const group = all[peer % all.length] ?? 0;
  return { kind: "group", id: `sg-${group}`, group };
}

/** The members of groups that rules of the VPC name, as far as a live peering leads to them. */
function meant(
  vpc: VpcIntent,
  vpcs: readonly VpcIntent[],
  peerings: readonly PeeringIntent[],
): PeerGroupIntent[] {
  const rules = vpc.securityGroups.flatMap((group) => group.rules);
  const named = new Set(rules.flatMap(({ peer }) => (peer.kind === "group" ? [peer.group] : [])));
  return [...named].flatMap((group) => {
    const home = vpcs.find(({ number }) => groupNumbers(number).includes(group));
    const peering = home === undefined ? undefined : wayBetween(vpc, home, peerings);
    if (home === undefined || peering === undefined) return [];
    const members = home.interfaces.filter(({ groups }) => groups.includes(group));
    return [{ group, peering, vpcId: home.id, members, limited: false }];
  });
}

function wayBetween(a: VpcIntent, b: VpcIntent, peerings: readonly PeeringIntent[]) {
  if (a.id === b.id) return 0;
  const way = peerings.find(({ requester, accepter, admitted }) => {
    const ends = [requester.vpcId, accepter.vpcId];
    return admitted && ends.includes(a.id) && ends.includes(b.id);
  });
  return way?.number;
}

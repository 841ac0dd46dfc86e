import fc from "fast-check";
import { cidr } from "../../../../src/domain/cidr.js";
import type {
  InterfaceIntent,
  PeerGroupIntent,
  RuleIntent,
  RulePeer,
  SecurityGroupIntent,
  VpcIntent,
} from "../../../../src/domain/intent.js";
import type { Opening } from "../../../../src/domain/reachability/question.js";
import type { Traffic } from "../../../../src/domain/traffic.js";
import { anyTopology } from "../../pipeline/arbitrary.js";
import type { Topology } from "../../pipeline/topologies.js";

const GROUPS_PER_VPC = 3;

const TRAFFIC: readonly Traffic[] = [
  { kind: "all" },
  { kind: "ports", protocol: 6, from: 80, to: 81 },
  { kind: "ports", protocol: 17, from: 53, to: 53 },
  { kind: "icmp", type: null, code: null },
  { kind: "icmp", type: 8, code: null },
  { kind: "icmp", type: 8, code: 3 },
  { kind: "protocol", protocol: 47 },
];

export const OPENINGS: readonly Opening[] = [
  { kind: "ports", protocol: 6, port: 80 },
  { kind: "ports", protocol: 6, port: 82 },
  { kind: "ports", protocol: 17, port: 53 },
  { kind: "icmp", type: 8, code: 0 },
  { kind: "protocol", protocol: 47 },
];

const BLOCKS = ["0.0.0.0/0", "10.10.0.0/16", "10.20.0.0/15", "10.20.1.10/32", "172.16.0.0/12"];

interface RuleShape {
  readonly direction: "ingress" | "egress";
  readonly traffic: Traffic;
  /** A block, or which group of which VPC. */
  readonly peer: string | readonly [vpc: number, group: number];
}

interface GroupShape {
  readonly rules: readonly RuleShape[];
  /** Which interfaces of the VPC are in it. */
  readonly members: number;
}

/** Any topology, with security groups that name blocks and one another across peerings. */
export function anyGuardedTopology(): fc.Arbitrary<Topology> {
  return anyTopology().chain((topology) =>
    fc
      .array(fc.array(anyGroup(), { minLength: 1, maxLength: GROUPS_PER_VPC }), {
        minLength: topology.vpcs.length,
        maxLength: topology.vpcs.length,
      })
      .map((shapes) => guarded(topology, shapes)),
  );
}

const OPEN_TRAFFIC: Traffic = { kind: "all" };

function anyGroup(): fc.Arbitrary<GroupShape> {
  const direction = fc.constantFrom<RuleShape["direction"]>("ingress", "egress");
  const traffic = fc.oneof(fc.constant(OPEN_TRAFFIC), fc.constantFrom(...TRAFFIC));
  const someBlock = fc.constantFrom(...BLOCKS);
  const someGroup = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: GROUPS_PER_VPC - 1 }));
  const rule = fc.record({ direction, traffic, peer: fc.oneof(someBlock, someGroup) });
  const open = fc.record({
    direction,
    traffic: fc.constant(OPEN_TRAFFIC),
    peer: fc.constant("0.0.0.0/0"),
  });
  return fc.record({
    rules: fc.array(fc.oneof({ weight: 4, arbitrary: rule }, open), { maxLength: 5 }),
    members: fc.oneof(fc.constant(0xffff), fc.nat({ max: 0xffff })),
  });
}

const groupNumber = (vpc: number, index: number) => vpc * 100 + index;

function guarded(topology: Topology, shapes: readonly (readonly GroupShape[])[]): Topology {
  const { peerings } = topology;
  const grouped = topology.vpcs.map((vpc, index) => withMembers(vpc, shapes[index] ?? []));
  const vpcs = grouped.map((vpc, index): VpcIntent => {
    const securityGroups = (shapes[index] ?? []).map(({ rules }, group): SecurityGroupIntent => {
      const number = groupNumber(vpc.number, group);
      return {
        id: `sg-${number}`,
        number,
        rules: rules.map((r, i) => ruleOf(grouped, number, r, i)),
      };
    });
    return { ...vpc, securityGroups, peerGroups: peerGroupsOf(vpc, grouped, topology) };
  });
  return { vpcs, peerings };
}

function withMembers(vpc: VpcIntent, shapes: readonly GroupShape[]): VpcIntent {
  const join = (eni: InterfaceIntent, position: number): InterfaceIntent => ({
    ...eni,
    groups: shapes.flatMap(({ members }, group) =>
      (members >> position) % 2 === 1 ? [groupNumber(vpc.number, group)] : [],
    ),
  });
  return { ...vpc, interfaces: vpc.interfaces.map(join) };
}

function ruleOf(
  vpcs: readonly VpcIntent[],
  group: number,
  { direction, traffic, peer }: RuleShape,
  index: number,
): RuleIntent {
  const number = group * 10 + index;
  return { id: `sgr-${number}`, number, direction, traffic, peer: peerOf(vpcs, peer) };
}

function peerOf(vpcs: readonly VpcIntent[], peer: RuleShape["peer"]): RulePeer {
  if (typeof peer === "string") return { kind: "block", block: cidr(peer) };
  const [of, index] = peer;
  const group = groupNumber(vpcs[of % vpcs.length]?.number ?? 1, index);
  return { kind: "group", id: `sg-${group}`, group };
}

/** Every group of the VPC and of its peers: more than its rules name. */
function peerGroupsOf(
  vpc: VpcIntent,
  vpcs: readonly VpcIntent[],
  { peerings }: Topology,
): PeerGroupIntent[] {
  const ways = peerings.flatMap(({ number, requester, accepter, admitted }) => {
    const ids = [requester.vpcId, accepter.vpcId];
    if (!admitted || !ids.includes(vpc.id)) return [];
    return [{ peering: number, vpcId: ids.find((id) => id !== vpc.id) ?? "" }];
  });
  return [{ peering: 0, vpcId: vpc.id }, ...ways].flatMap(({ peering, vpcId }) => {
    const peer = vpcs.find(({ id }) => id === vpcId);
    return Array.from({ length: GROUPS_PER_VPC }, (_, index): PeerGroupIntent => {
      const group = groupNumber(peer?.number ?? 0, index);
      const members = (peer?.interfaces ?? []).filter(({ groups }) => groups.includes(group));
      return { group, peering, vpcId, members, limited: false };
    });
  });
}

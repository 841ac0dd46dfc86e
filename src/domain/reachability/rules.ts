import { containsIp, type Ip } from "../cidr.js";
import type {
  InterfaceIntent,
  MemberIntent,
  PeerGroupIntent,
  RuleIntent,
  RulePeer,
  VpcIntent,
} from "../intent.js";
import type { Traffic } from "../traffic.js";
import { type Opening, protocolOf } from "./question.js";

export interface AllowingRule {
  readonly securityGroupId: string;
  readonly rule: RuleIntent;
}

/** A connection as the security groups of one of its ends see it. */
export interface Candidate {
  readonly vpc: VpcIntent;
  readonly eni: InterfaceIntent;
  readonly direction: RuleIntent["direction"];
  readonly other: Ip;
  /** Numbers of the groups that the interface at the other end is in. */
  readonly otherGroups: readonly number[];
  /** Number of the peering between them, 0 within the VPC. */
  readonly peering: number;
  readonly opening: Opening;
}

/** A rule that allows the connection: one by addresses rather than one by a group's members. */
export function allowingRule(candidate: Candidate): AllowingRule | undefined {
  const allowing = rulesFor(candidate).filter(({ rule }) => isPeer(candidate, rule.peer));
  return allowing.find(({ rule }) => rule.peer.kind === "block") ?? allowing[0];
}

/** Who the member is that such a rule allows; undefined when it is one by addresses. */
export function memberMeant(
  candidate: Candidate,
  { rule: { peer } }: AllowingRule,
): MemberIntent | undefined {
  return peer.kind === "group" ? memberOf(candidate, peer.group) : undefined;
}

/** A rule that names a group of which the other end is a member, but not one of those in force. */
export function ruleBeyondLimit(candidate: Candidate): AllowingRule | undefined {
  return rulesFor(candidate).find(({ rule: { peer } }) => {
    if (peer.kind !== "group" || !candidate.otherGroups.includes(peer.group)) return false;
    const named = groupNamed(candidate, peer.group);
    return named?.limited === true && memberOf(candidate, peer.group) === undefined;
  });
}

/** Whether who the members of a group behind the candidate's peering are decides. */
export function hangsOnPeersGroup(candidate: Candidate): boolean {
  const found = allowingRule(candidate);
  if (candidate.peering === 0 || found?.rule.peer.kind === "block") return false;
  return rulesFor(candidate).some(
    ({ rule: { peer } }) => peer.kind === "group" && groupNamed(candidate, peer.group),
  );
}

/** The rules of all groups of the interface, of its direction and for its traffic. */
function rulesFor({ vpc, eni, direction, opening }: Candidate): AllowingRule[] {
  const groups = vpc.securityGroups.filter(({ number }) => eni.groups.includes(number));
  return groups.flatMap(({ id: securityGroupId, rules }) =>
    rules
      .filter((rule) => rule.direction === direction && covers(rule.traffic, opening))
      .map((rule) => ({ securityGroupId, rule })),
  );
}

function isPeer(candidate: Candidate, peer: RulePeer): boolean {
  if (peer.kind === "block") return containsIp(peer.block, candidate.other);
  return memberOf(candidate, peer.group) !== undefined;
}

function memberOf(candidate: Candidate, group: number): MemberIntent | undefined {
  const { family, value } = candidate.other;
  const members = groupNamed(candidate, group)?.members ?? [];
  return members.find(({ ip }) => ip.family === family && ip.value === value);
}

/** The group, where it is that of the VPC at the other end. */
function groupNamed({ vpc, peering }: Candidate, group: number): PeerGroupIntent | undefined {
  return vpc.peerGroups.find((named) => named.group === group && named.peering === peering);
}

/** Whether a rule for `traffic` allows such an opening. */
export function covers(traffic: Traffic, opening: Opening): boolean {
  switch (traffic.kind) {
    case "all":
      return true;
    case "protocol":
      return traffic.protocol === protocolOf(opening);
    case "ports":
      return (
        opening.kind === "ports" &&
        traffic.protocol === opening.protocol &&
        traffic.from <= opening.port &&
        opening.port <= traffic.to
      );
    case "icmp":
      if (opening.kind !== "icmp" || traffic.type === null) return opening.kind === "icmp";
      return (
        traffic.type === opening.type && (traffic.code === null || traffic.code === opening.code)
      );
  }
}

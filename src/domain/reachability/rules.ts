import { containsIp, type Ip } from "../cidr.js";
import type {
  InterfaceIntent,
  MemberIntent,
  PeerGroupIntent,
  RuleIntent,
  RulePeer,
  VpcIntent,
} from "../intent.js";
import { hasAddress } from "../interface-addresses.js";
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

/** The members that such a rule allows: those with the address; none when it is one by addresses. */
export function membersMeant(
  candidate: Candidate,
  { rule: { peer } }: AllowingRule,
): MemberIntent[] {
  return peer.kind === "group" ? membersOf(candidate, peer.group) : [];
}

/** A rule that names a group of which the other end is a member, but not one of those in force. */
export function ruleBeyondLimit(candidate: Candidate): AllowingRule | undefined {
  return rulesFor(candidate).find(({ rule: { peer } }) => {
    if (peer.kind !== "group" || !candidate.otherGroups.includes(peer.group)) return false;
    const named = groupNamed(candidate, peer.group);
    return named?.limited === true && membersOf(candidate, peer.group).length === 0;
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
  return membersOf(candidate, peer.group).length > 0;
}

function membersOf(candidate: Candidate, group: number): MemberIntent[] {
  const members = groupNamed(candidate, group)?.members ?? [];
  return members.filter((member) => hasAddress(member, candidate.other));
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

import { containsIp, type Ip } from "../cidr.js";
import type { InterfaceIntent, RuleIntent, RulePeer, VpcIntent } from "../intent.js";
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
  /** Number of the peering between them, 0 within the VPC. */
  readonly peering: number;
  readonly opening: Opening;
}

/** A rule that allows the connection: one by addresses rather than one by a group's members. */
export function allowingRule(candidate: Candidate): AllowingRule | undefined {
  const allowing = rulesFor(candidate).filter(({ rule }) => isPeer(candidate, rule.peer));
  return allowing.find(({ rule }) => rule.peer.kind === "block") ?? allowing[0];
}

/** Whether who the members of a group behind the candidate's peering are decides. */
export function hangsOnPeersGroup(candidate: Candidate): boolean {
  const { vpc, peering } = candidate;
  const found = allowingRule(candidate);
  if (peering === 0 || found?.rule.peer.kind === "block") return false;
  return rulesFor(candidate).some(({ rule: { peer } }) => {
    if (peer.kind !== "group") return false;
    return vpc.peerGroups.some((named) => named.group === peer.group && named.peering === peering);
  });
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

function isPeer({ vpc, other, peering }: Candidate, peer: RulePeer): boolean {
  if (peer.kind === "block") return containsIp(peer.block, other);
  return vpc.peerGroups.some(
    (named) =>
      named.group === peer.group &&
      named.peering === peering &&
      named.addresses.some((ip) => ip.family === other.family && ip.value === other.value),
  );
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

import type { z } from "zod";
import { formatCidr } from "../../../domain/cidr.js";
import type { DataPlaneView } from "../../../domain/data-plane.js";
import type { SecurityGroup, SecurityGroupRule } from "../../../domain/resources.js";
import { ANY_ICMP, spelledProtocol } from "../../../domain/security-rules.js";
import type { Traffic } from "../../../domain/traffic.js";
import type { PlacedRule } from "../../../services/security-group-rules.js";
import type {
  createSecurityGroupRuleSchema,
  placedRuleSchema,
  securityGroupRuleSchema,
  securityGroupSchema,
} from "./schema.js";

export function presentSecurityGroup(
  group: SecurityGroup,
  view: DataPlaneView,
): z.output<typeof securityGroupSchema> {
  return {
    id: group.id,
    vpcId: group.vpcId,
    tenantId: group.tenantId,
    name: group.name,
    description: group.description,
    default: group.isDefault,
    rules: group.rules.map(presentSecurityGroupRule),
    tags: { ...group.tags },
    createdAt: group.createdAt.toISOString(),
    dataPlane: view.status([group.vpcId], group.generation),
  };
}

export function presentPlacedRule(
  { rule, vpcId, generation }: PlacedRule,
  view: DataPlaneView,
): z.output<typeof placedRuleSchema> {
  return { ...presentSecurityGroupRule(rule), dataPlane: view.status([vpcId], generation) };
}

export function presentSecurityGroupRule(
  rule: SecurityGroupRule,
): z.output<typeof securityGroupRuleSchema> {
  const { id, direction, traffic, peer, description, stale, limitedTo, createdAt } = rule;
  return {
    id,
    direction,
    ...presentTraffic(traffic),
    cidrBlock: peer.kind === "block" ? formatCidr(peer.block) : null,
    securityGroupId: peer.kind === "group" ? peer.groupId : null,
    securityGroupVpcId: peer.kind === "group" ? peer.vpcId : null,
    description,
    stale,
    limited: limitedTo !== null,
    membersInForce: limitedTo,
    message: limitedTo === null ? null : limitMessage(limitedTo),
    createdAt: createdAt.toISOString(),
  };
}

function limitMessage(most: number): string {
  return `the group's members have more addresses than a rule may mean: the first ${most} in the order of members are in force, each member with all of its addresses or none`;
}

function presentTraffic(traffic: Traffic) {
  switch (traffic.kind) {
    case "all":
      return { protocol: "all" as const, fromPort: null, toPort: null };
    case "protocol":
      return { protocol: spelledProtocol(traffic.protocol), fromPort: null, toPort: null };
    case "ports": {
      const { protocol, from: fromPort, to: toPort } = traffic;
      return { protocol: spelledProtocol(protocol), fromPort, toPort };
    }
    case "icmp": {
      const { type, code } = traffic;
      return { protocol: "icmp" as const, fromPort: type ?? ANY_ICMP, toPort: code ?? ANY_ICMP };
    }
  }
}

/** A rule as a caller sent it, as the use case takes it. */
export function ruleInput(body: z.output<typeof createSecurityGroupRuleSchema>) {
  const { direction, description, protocol, fromPort, toPort } = body;
  const { cidrBlock = "", securityGroupId } = body;
  const peer = securityGroupId === undefined ? { cidrBlock } : { securityGroupId };
  return { direction, description, traffic: { protocol, fromPort, toPort }, peer };
}

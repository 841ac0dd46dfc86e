import { anyBlock } from "../domain/address-plan.js";
import { DomainError } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type {
  RuleDirection,
  SecurityGroup,
  SecurityGroupRule,
  SecurityGroupRulePeer,
} from "../domain/resources.js";
import { type RuleContent, ruleTraffic, type TrafficInput } from "../domain/security-rules.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import {
  findEqualRule,
  findVpcOfNameableGroup,
  insertRule,
  removeRule,
} from "../store/security-group-rules.js";
import { findSecurityGroup, touchSecurityGroup } from "../store/security-groups.js";
import { lockVpcRows, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { tellOfLimitedRule } from "./limited-rules.js";
import { resourceChange } from "./resource-change.js";
import { getSecurityGroup, lockSecurityGroup, requireSecurityGroup } from "./security-groups.js";

/** Whom a rule is about, as callers spell it. */
export type RulePeerInput = { readonly cidrBlock: string } | { readonly securityGroupId: string };

export interface RuleInput {
  readonly direction: RuleDirection;
  readonly traffic: TrafficInput;
  readonly peer: RulePeerInput;
  readonly description?: string | undefined;
}

/** A rule, and the change of its group by which it is as it is. */
export interface PlacedRule {
  readonly rule: SecurityGroupRule;
  readonly vpcId: string;
  readonly generation: number;
}

/**
 * Adds a rule, about addresses or about a group of the same VPC or of one that is peered with it.
 * @throws DomainError `InvalidPermission.Duplicate`, `RulesPerSecurityGroupLimitExceeded`,
 *   `InvalidGroup.NotFound` for any other group
 */
export async function addSecurityGroupRule(
  ctx: ServiceContext,
  caller: Principal,
  groupId: string,
  input: RuleInput,
): Promise<PlacedRule> {
  const { direction, description = "" } = input;
  const traffic = ruleTraffic(input.traffic);
  const findPeer = peerFinder(input.peer);
  const placed = await inTransaction(ctx.db, async (tx) => {
    const read = async () =>
      requireSecurityGroup(
        caller,
        groupId,
        await findSecurityGroup(tx, groupId, caller.tenantId, ctx.quotas),
      );
    const seen = await read();
    requirePermission(caller, "security_group:update");
    await lockWithPeer(tx, seen.vpcId, await findPeer(tx, seen.vpcId));
    const group = await read();
    const peer = await findPeer(tx, group.vpcId);
    const content = { direction, traffic, peer, description };
    await refuseDuplicate(tx, group, content);
    requireQuota(ctx.quotas, "rulesPerDirection", countRules(group, direction));
    const id = newId("securityGroupRule");
    const generation = await recordRuleChange(tx, caller, group, id, "add-rule");
    const inserted = await insertRule(tx, group.vpcId, { id, groupId, ...content }, ctx.quotas);
    if (inserted.limitedTo !== null) await tellOfLimitedRule(tx, group);
    return { rule: inserted, vpcId: group.vpcId, generation };
  });
  await follow(ctx, [placed.vpcId]);
  return placed;
}

/** @throws DomainError `InvalidSecurityGroupRuleId.NotFound` */
export async function removeSecurityGroupRule(
  ctx: ServiceContext,
  caller: Principal,
  groupId: string,
  ruleId: string,
): Promise<void> {
  const vpcId = await inTransaction(ctx.db, async (tx) => {
    const group = await lockSecurityGroup(ctx, tx, caller, groupId);
    requirePermission(caller, "security_group:update");
    requireRule(group, ruleId);
    await recordRuleChange(tx, caller, group, ruleId, "remove-rule");
    await removeRule(tx, ruleId);
    return group.vpcId;
  });
  await follow(ctx, [vpcId]);
}

/** @throws DomainError `InvalidSecurityGroupRuleId.NotFound` */
export async function getSecurityGroupRule(
  ctx: ServiceContext,
  caller: Principal,
  groupId: string,
  ruleId: string,
): Promise<PlacedRule> {
  const group = await getSecurityGroup(ctx, caller, groupId);
  const { vpcId, generation } = group;
  return { rule: requireRule(group, ruleId), vpcId, generation };
}

type PeerFinder = (tx: Tx, vpcId: string) => Promise<SecurityGroupRulePeer>;

/** A group that cannot be named is as one that does not exist: nothing is learnt of other tenants. */
function peerFinder(input: RulePeerInput): PeerFinder {
  if ("cidrBlock" in input) {
    const block = anyBlock(input.cidrBlock, "/cidrBlock");
    return async () => ({ kind: "block", block });
  }
  const { securityGroupId: groupId } = input;
  return async (tx, ownVpcId) => {
    const vpcId = await findVpcOfNameableGroup(tx, ownVpcId, groupId);
    if (vpcId !== undefined) return { kind: "group", groupId, vpcId };
    const detail = `neither VPC ${ownVpcId} nor an active peer of it has a security group ${groupId}`;
    throw new DomainError("InvalidGroup.NotFound", detail, { pointer: "/securityGroupId" });
  };
}

/** Who changes the members of a group finds, under its VPC's lock, every rule that names it. */
async function lockWithPeer(tx: Tx, vpcId: string, peer: SecurityGroupRulePeer): Promise<void> {
  await lockVpcRows(tx, peer.kind === "group" ? [vpcId, peer.vpcId] : [vpcId]);
}

async function refuseDuplicate(tx: Tx, group: SecurityGroup, content: RuleContent): Promise<void> {
  const equal = await findEqualRule(tx, group.id, content);
  if (equal === undefined) return;
  const detail = `security group ${group.id} has this rule already: ${equal}`;
  throw new DomainError("InvalidPermission.Duplicate", detail, { blockedBy: [equal] });
}

function countRules({ rules }: SecurityGroup, direction: RuleDirection): number {
  return rules.filter((rule) => rule.direction === direction).length;
}

async function recordRuleChange(
  tx: Tx,
  caller: Principal,
  { id, tenantId, vpcId }: SecurityGroup,
  ruleId: string,
  action: "add-rule" | "remove-rule",
): Promise<number> {
  const answeredWith = { resourceType: "security-group-rule", resourceId: ruleId } as const;
  const change = resourceChange(caller, "security-group", tenantId, id, action);
  const generation = await recordChange(tx, { ...change, answeredWith });
  await touchVpcs(tx, [vpcId], generation);
  await touchSecurityGroup(tx, id, generation);
  return generation;
}

function requireRule({ id, rules }: SecurityGroup, ruleId: string): SecurityGroupRule {
  const rule = rules.find((other) => other.id === ruleId);
  if (rule !== undefined) return rule;
  const detail = `security group ${id} has no rule ${ruleId}`;
  throw new DomainError("InvalidSecurityGroupRuleId.NotFound", detail);
}

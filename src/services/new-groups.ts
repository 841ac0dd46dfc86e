import { newId } from "../domain/ids.js";
import {
  DEFAULT_GROUP,
  defaultGroupRules,
  NEW_GROUP_RULES,
  type RuleContent,
} from "../domain/security-rules.js";
import type { Tx } from "../store/database/transaction.js";
import { insertSecurityGroup, type NewSecurityGroup } from "../store/security-groups.js";

/** The group that a new VPC starts with, for interfaces that are made without groups. */
export async function insertDefaultGroup(tx: Tx, vpcId: string, generation: number): Promise<void> {
  const id = newId("securityGroup");
  const rules = withIds(defaultGroupRules(id, vpcId));
  const group = { ...DEFAULT_GROUP, id, vpcId, isDefault: true, tags: {}, generation, rules };
  await insertSecurityGroup(tx, group);
}

/** A group that a tenant asked for. */
export async function insertNewGroup(
  tx: Tx,
  group: Omit<NewSecurityGroup, "isDefault" | "rules">,
): Promise<void> {
  await insertSecurityGroup(tx, { ...group, isDefault: false, rules: withIds(NEW_GROUP_RULES) });
}

function withIds(rules: readonly RuleContent[]) {
  return rules.map((rule) => ({ ...rule, id: newId("securityGroupRule") }));
}

import { SYSTEM } from "../domain/resources.js";
import { type Change, recordChanges } from "../store/change.js";
import type { Tx } from "../store/database/transaction.js";
import {
  findGroupsNamedBetween,
  findLargeGroups,
  findPeersNaming,
  type NamingGroup,
} from "../store/large-groups.js";
import type { ServiceContext } from "./context.js";

type LimitChange = "limited" | "unlimited";

/**
 * Does something to the members of groups, and tells the owners of rules that name them from other
 * VPCs when from then on not all members are in force, or all are again. Who did it is nobody's
 * business there: the members of a stranger's group are not told either.
 */
export async function tellingOfLimits<T>(
  { quotas }: ServiceContext,
  tx: Tx,
  groupIds: readonly string[],
  change: () => Promise<T>,
): Promise<T> {
  if (groupIds.length === 0) return change();
  const most = quotas.peerGroupMembers;
  const before = await findLargeGroups(tx, groupIds, most);
  const result = await change();
  const after = await findLargeGroups(tx, groupIds, most);
  const grown = [...after].filter((id) => !before.has(id));
  const shrunk = [...before].filter((id) => !after.has(id));
  const naming = await findPeersNaming(tx, [...grown, ...shrunk]);
  await record(
    tx,
    naming.map((group) => [group, after.has(group.named) ? "limited" : "unlimited"]),
  );
  return result;
}

/** Tells of rules that come into force by a peering and name a group that is too large already. */
export async function tellOfLimitsBetween(
  { quotas }: ServiceContext,
  tx: Tx,
  oneVpcId: string,
  otherVpcId: string,
): Promise<void> {
  const named = await findGroupsNamedBetween(tx, oneVpcId, otherVpcId);
  const large = await findLargeGroups(tx, named, quotas.peerGroupMembers);
  const naming = await findPeersNaming(tx, [...large]);
  const ends = [oneVpcId, otherVpcId];
  await record(
    tx,
    naming.filter(({ vpcId }) => ends.includes(vpcId)).map((group) => [group, "limited"]),
  );
}

/** Tells the owner of a new rule that names a group that is too large. */
export async function tellOfLimitedRule(
  tx: Tx,
  group: Pick<NamingGroup, "id" | "tenantId">,
): Promise<void> {
  await record(tx, [[group, "limited"]]);
}

async function record(
  tx: Tx,
  changes: readonly (readonly [Pick<NamingGroup, "id" | "tenantId">, LimitChange])[],
): Promise<void> {
  if (changes.length > 0) await recordChanges(tx, changes.map(limitChange));
}

function limitChange([{ id, tenantId }, action]: readonly [
  Pick<NamingGroup, "id" | "tenantId">,
  LimitChange,
]): Change {
  return {
    actor: SYSTEM,
    resourceType: "security-group",
    resourceId: id,
    action,
    before: "available",
    after: "available",
    tenantId,
  };
}

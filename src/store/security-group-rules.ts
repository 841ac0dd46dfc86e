import { formatCidr } from "../domain/cidr.js";
import type { Quotas } from "../domain/quotas.js";
import type { RuleDirection, SecurityGroupRule } from "../domain/resources.js";
import type { RuleContent } from "../domain/security-rules.js";
import { Prisma } from "../generated/prisma/client.js";
import type { SecurityGroupRuleModel } from "../generated/prisma/models.js";
import type { Tx } from "./database/transaction.js";
import { hasMoreAddresses } from "./interface-addresses.js";
import { storedBlock } from "./stored-addresses.js";
import { storedTraffic, trafficColumns } from "./stored-traffic.js";

/** As the reconciler admits: from the accept on, to the moment somebody deletes the peering. */
export function admittedPeering(oneVpc: Prisma.Sql, otherVpc: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM "vpc_peering" c
    WHERE c."doomed_at" IS NULL AND c."state" IN ('provisioning', 'active')
      AND LEAST(c."requester_vpc_id", c."accepter_vpc_id") = LEAST(${oneVpc}, ${otherVpc})
      AND GREATEST(c."requester_vpc_id", c."accepter_vpc_id") = GREATEST(${oneVpc}, ${otherVpc}))`;
}

/**
 * The VPC of a group that rules of `vpcId` may name: one of the same VPC, or of a VPC to which an
 * admitted peering leads. Undefined for any other, whether it exists or not.
 */
export async function findVpcOfNameableGroup(
  client: Tx,
  vpcId: string,
  groupId: string,
): Promise<string | undefined> {
  const own = Prisma.sql`${vpcId}::text`;
  const [row] = await client.$queryRaw<Array<{ vpcId: string }>>`
    SELECT g."vpc_id" AS "vpcId" FROM "security_group" g
    WHERE g."id" = ${groupId}
      AND (g."vpc_id" = ${own} OR ${admittedPeering(own, Prisma.sql`g."vpc_id"`)})`;
  return row?.vpcId;
}

/**
 * The VPCs with a rule in force that names one of these groups: what the switch does there depends
 * on who is in them. The VPC of the groups itself is among them when a rule of it does.
 */
export async function findVpcsReferringTo(
  client: Tx,
  groupIds: readonly string[],
): Promise<string[]> {
  if (groupIds.length === 0) return [];
  const rows = await client.$queryRaw<Array<{ vpcId: string }>>`
    SELECT DISTINCT g."vpc_id" AS "vpcId"
    FROM "security_group_rule" r JOIN "security_group" g ON g."id" = r."group_id"
    WHERE r."peer_group_id" = ANY(${groupIds}::text[]) AND (r."peer_vpc_id" = g."vpc_id"
      OR ${admittedPeering(Prisma.sql`g."vpc_id"`, Prisma.sql`r."peer_vpc_id"`)})`;
  return rows.map(({ vpcId }) => vpcId);
}

/** Other groups of a tenant with a rule that names this one, in force or stale. */
export async function findGroupsNaming(
  client: Tx,
  groupId: string,
  tenantId: string,
): Promise<string[]> {
  const rows = await client.securityGroup.findMany({
    where: {
      vpc: { tenantId },
      rules: { some: { peerGroupId: groupId } },
      NOT: { id: groupId },
    },
    select: { id: true },
    orderBy: { number: "asc" },
  });
  return rows.map(({ id }) => id);
}

export interface NewRule extends RuleContent {
  readonly id: string;
  readonly groupId: string;
}

/** @param vpcId of the group */
export async function insertRule(
  tx: Tx,
  vpcId: string,
  rule: NewRule,
  quotas: RuleQuotas,
): Promise<SecurityGroupRule> {
  const { id, groupId } = rule;
  const row = await tx.securityGroupRule.create({
    data: { id, groupId, description: rule.description, ...columnsOf(rule) },
  });
  return toRule(row, await findStandings(tx, [{ vpcId, rules: [row] }], quotas));
}

/** The rule of the group that admits just the same. */
export async function findEqualRule(
  client: Tx,
  groupId: string,
  content: RuleContent,
): Promise<string | undefined> {
  const row = await client.securityGroupRule.findFirst({
    where: { groupId, ...columnsOf(content) },
    select: { id: true },
  });
  return row?.id;
}

export async function removeRule(tx: Tx, id: string): Promise<void> {
  await tx.securityGroupRule.delete({ where: { id } });
}

/** Everything about a rule that must not stand in a group twice. */
export function columnsOf({ direction, traffic, peer }: RuleContent) {
  const isBlock = peer.kind === "block";
  return {
    direction,
    ...trafficColumns(traffic),
    block: isBlock ? formatCidr(peer.block) : null,
    peerGroupId: isBlock ? null : peer.groupId,
    peerVpcId: isBlock ? null : peer.vpcId,
  };
}

/** What bounds what a rule means. */
export type RuleQuotas = Pick<Quotas, "peerGroupMembers">;

/** What becomes of a rule that names a group of another VPC. */
export type Standing = Pick<SecurityGroupRule, "stale" | "limitedTo">;

/**
 * How rules of these groups stand, by their ids; those that are not there mean whom they say. Stale
 * ones mean nobody: they name a group that is gone, or one of a VPC that no admitted peering leads to.
 */
export async function findStandings(
  client: Tx,
  groups: ReadonlyArray<{ vpcId: string; rules: readonly SecurityGroupRuleModel[] }>,
  { peerGroupMembers: most }: RuleQuotas,
): Promise<ReadonlyMap<string, Standing>> {
  const abroad = groups.flatMap(({ vpcId, rules }) =>
    rules.filter(({ peerVpcId }) => peerVpcId !== null && peerVpcId !== vpcId),
  );
  if (abroad.length === 0) return new Map();
  const ids = abroad.map(({ id }) => id);
  const rows = await client.$queryRaw<Array<{ id: string; stale: boolean; limited: boolean }>>`
    SELECT r."id", NOT (
        EXISTS (SELECT 1 FROM "security_group" p WHERE p."id" = r."peer_group_id")
        AND ${admittedPeering(Prisma.sql`g."vpc_id"`, Prisma.sql`r."peer_vpc_id"`)}) AS "stale",
      ${hasMoreAddresses(Prisma.sql`r."peer_group_id"`, most)} AS "limited"
    FROM "security_group_rule" r JOIN "security_group" g ON g."id" = r."group_id"
    WHERE r."id" = ANY(${ids}::text[])`;
  // Of a group that is out of reach nothing is told.
  const standings = rows.map(({ id, stale, limited }): [string, Standing] => [
    id,
    { stale, limitedTo: limited && !stale ? most : null },
  ]);
  return new Map(standings);
}

const IN_FORCE: Standing = { stale: false, limitedTo: null };

export function toRule(
  row: SecurityGroupRuleModel,
  standings: ReadonlyMap<string, Standing>,
): SecurityGroupRule {
  const { id, number, description, createdAt, block, peerGroupId, peerVpcId } = row;
  return {
    id,
    number,
    direction: row.direction as RuleDirection,
    traffic: storedTraffic(row),
    peer:
      block === null
        ? { kind: "group", groupId: peerGroupId ?? "", vpcId: peerVpcId ?? "" }
        : { kind: "block", block: storedBlock(block) },
    description,
    ...(standings.get(id) ?? IN_FORCE),
    createdAt,
  };
}

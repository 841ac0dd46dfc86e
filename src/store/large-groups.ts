import { Prisma } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";
import { hasMoreAddresses } from "./interface-addresses.js";
import { admittedPeering } from "./security-group-rules.js";

/** Which of these groups have members with more addresses than `most`; no more are looked at. */
export async function findLargeGroups(
  client: Tx,
  groupIds: readonly string[],
  most: number,
): Promise<ReadonlySet<string>> {
  if (groupIds.length === 0) return new Set();
  const rows = await client.$queryRaw<Array<{ id: string }>>`
    SELECT g."id" FROM "security_group" g
    WHERE g."id" = ANY(${[...groupIds]}::text[])
      AND ${hasMoreAddresses(Prisma.sql`g."id"`, most)}`;
  return new Set(rows.map(({ id }) => id));
}

/** A group with a rule in force that names a group of a peer. */
export interface NamingGroup {
  readonly id: string;
  readonly vpcId: string;
  readonly tenantId: string;
  /** The group that it names. */
  readonly named: string;
}

/** The groups of other VPCs with rules in force that name one of these, in the order of numbers. */
export async function findPeersNaming(
  client: Tx,
  groupIds: readonly string[],
): Promise<NamingGroup[]> {
  if (groupIds.length === 0) return [];
  return client.$queryRaw<NamingGroup[]>`
    SELECT g."id", g."vpc_id" AS "vpcId", v."tenant_id" AS "tenantId", n."named"
    FROM (
      SELECT DISTINCT r."group_id", r."peer_vpc_id", r."peer_group_id" AS "named"
      FROM "security_group_rule" r WHERE r."peer_group_id" = ANY(${[...groupIds]}::text[])
    ) n
    JOIN "security_group" g ON g."id" = n."group_id" JOIN "vpc" v ON v."id" = g."vpc_id"
    WHERE n."peer_vpc_id" <> g."vpc_id"
      AND ${admittedPeering(Prisma.sql`g."vpc_id"`, Prisma.sql`n."peer_vpc_id"`)}
    ORDER BY g."number", n."named"`;
}

/** The groups of either VPC that rules of the other one name. */
export async function findGroupsNamedBetween(
  client: Tx,
  oneVpcId: string,
  otherVpcId: string,
): Promise<string[]> {
  const rows = await client.$queryRaw<Array<{ id: string }>>`
    SELECT DISTINCT r."peer_group_id" AS "id"
    FROM "security_group" g JOIN "security_group_rule" r ON r."group_id" = g."id"
    WHERE (g."vpc_id" = ${oneVpcId} AND r."peer_vpc_id" = ${otherVpcId})
      OR (g."vpc_id" = ${otherVpcId} AND r."peer_vpc_id" = ${oneVpcId})`;
  return rows.map(({ id }) => id);
}

import type { Page, PageRequest, SecurityGroup, Tags } from "../domain/resources.js";
import type { RuleContent } from "../domain/security-rules.js";
import type { Prisma } from "../generated/prisma/client.js";
import { inChunks } from "./chunks.js";
import type { Tx } from "./database/transaction.js";
import { NOTHING, ownsParents } from "./list-parents.js";
import { pageArguments, tagConditions, toPage } from "./page.js";
import {
  columnsOf,
  findStandings,
  type RuleQuotas,
  type Standing,
  toRule,
} from "./security-group-rules.js";
import { inVpcOf } from "./visibility.js";

const contents = {
  vpc: { select: { tenantId: true, generation: true } },
  rules: { orderBy: { number: "asc" } },
} satisfies Prisma.SecurityGroupInclude;

type GroupRow = Prisma.SecurityGroupGetPayload<{ include: typeof contents }>;

export interface NewSecurityGroup {
  readonly id: string;
  readonly vpcId: string;
  readonly name: string;
  readonly description: string;
  readonly isDefault: boolean;
  readonly tags: Tags;
  readonly generation: number;
  readonly rules: ReadonlyArray<RuleContent & { readonly id: string }>;
}

/** One statement for a group and its rules: every VPC starts with one. */
export async function insertSecurityGroup(tx: Tx, group: NewSecurityGroup): Promise<void> {
  const { id, vpcId, name, description, isDefault, generation } = group;
  const rules = group.rules.map((rule) => {
    return { id: rule.id, description: rule.description, ...columnsOf(rule) };
  });
  await tx.$executeRaw`
    WITH made AS (
      INSERT INTO "security_group"
        ("id", "vpc_id", "name", "description", "is_default", "tags", "generation")
      VALUES (${id}, ${vpcId}, ${name}, ${description}, ${isDefault},
        ${JSON.stringify(group.tags)}::jsonb, ${generation}::bigint)
      RETURNING "id"
    )
    INSERT INTO "security_group_rule" ("id", "group_id", "direction", "protocol", "from_port",
      "to_port", "block", "peer_group_id", "peer_vpc_id", "description")
    SELECT r."id", made."id", r."direction", r."protocol", r."fromPort", r."toPort",
      r."block"::inet, r."peerGroupId", r."peerVpcId", r."description"
    FROM made, jsonb_to_recordset(${JSON.stringify(rules)}::jsonb) AS r("id" text,
      "direction" text, "protocol" int, "fromPort" int, "toPort" int, "block" text,
      "peerGroupId" text, "peerVpcId" text, "description" text)`;
}

/** @param visibleTo as `ownedBy` says */
export async function findSecurityGroup(
  client: Tx,
  id: string,
  visibleTo: string | null,
  quotas: RuleQuotas,
): Promise<SecurityGroup | null> {
  const where = { id, ...inVpcOf(visibleTo) };
  const row = await client.securityGroup.findUnique({ where, include: contents });
  return row && toGroup(row, await findStandings(client, [row], quotas));
}

export interface SecurityGroupFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly vpcId?: string | undefined;
  readonly name?: string | undefined;
  readonly tags: Tags;
}

export async function findSecurityGroups(
  client: Tx,
  filter: SecurityGroupFilter,
  page: PageRequest,
  quotas: RuleQuotas,
): Promise<Page<SecurityGroup>> {
  if (!(await ownsParents(client, filter))) return NOTHING;
  const rows = await client.securityGroup.findMany({
    where: {
      number: { gt: page.after },
      ...(filter.tenantId !== null && { vpc: { tenantId: filter.tenantId } }),
      ...(filter.vpcId !== undefined && { vpcId: filter.vpcId }),
      ...(filter.name !== undefined && { name: filter.name }),
      AND: tagConditions(filter.tags),
    },
    include: contents,
    ...pageArguments(page),
  });
  const standings = await findStandings(client, rows, quotas);
  return toPage(
    rows.map((row) => toGroup(row, standings)),
    page.limit,
  );
}

export async function findGroupNamed(
  client: Tx,
  vpcId: string,
  name: string,
): Promise<string | undefined> {
  const where = { vpcId_name: { vpcId, name } };
  const row = await client.securityGroup.findUnique({ where, select: { id: true } });
  return row?.id;
}

export async function findDefaultGroup(client: Tx, vpcId: string): Promise<string> {
  const where = { vpcId, isDefault: true };
  const { id } = await client.securityGroup.findFirstOrThrow({ where, select: { id: true } });
  return id;
}

/** Which of these groups a VPC has. */
export async function findGroupsOf(
  client: Tx,
  vpcId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await inChunks(ids, (some) =>
    client.securityGroup.findMany({ where: { vpcId, id: { in: some } }, select: { id: true } }),
  );
  return new Set(rows.map(({ id }) => id));
}

export async function countSecurityGroups(client: Tx, vpcId: string): Promise<number> {
  return client.securityGroup.count({ where: { vpcId } });
}

/** Ids of interfaces in a group, `take` at most. */
export async function findMembers(client: Tx, groupId: string, take: number): Promise<string[]> {
  const rows = await client.groupMembership.findMany({
    take,
    where: { groupId },
    select: { networkInterfaceId: true },
    orderBy: { networkInterface: { number: "asc" } },
  });
  return rows.map(({ networkInterfaceId }) => networkInterfaceId);
}

export interface SecurityGroupPatch {
  readonly description?: string | undefined;
  readonly tags?: Tags | undefined;
}

export async function patchSecurityGroup(
  tx: Tx,
  id: string,
  { description, tags }: SecurityGroupPatch,
  quotas: RuleQuotas,
): Promise<SecurityGroup> {
  const row = await tx.securityGroup.update({
    where: { id },
    data: {
      ...(description !== undefined && { description }),
      ...(tags !== undefined && { tags: { ...tags } }),
    },
    include: contents,
  });
  return toGroup(row, await findStandings(tx, [row], quotas));
}

export async function touchSecurityGroup(tx: Tx, id: string, generation: number): Promise<void> {
  await tx.securityGroup.update({ where: { id }, data: { generation }, select: { id: true } });
}

export async function removeSecurityGroup(tx: Tx, id: string): Promise<void> {
  await tx.securityGroup.delete({ where: { id } });
}

function toGroup(row: GroupRow, standings: ReadonlyMap<string, Standing>): SecurityGroup {
  const { vpc, rules, tags, ...rest } = row;
  return {
    ...rest,
    tenantId: vpc.tenantId,
    tags: tags as Tags,
    rules: rules.map((rule) => toRule(rule, standings)),
    generation: Number(vpc.generation),
  };
}

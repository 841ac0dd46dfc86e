import { gatewayOf } from "../domain/address-plan.js";
import { type Cidr, cidr, formatCidr } from "../domain/cidr.js";
import type { Page, PageRequest, Subnet, Tags } from "../domain/resources.js";
import type { Prisma } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";
import { NOTHING, ownsParents } from "./list-parents.js";
import { pageArguments, tagConditions, toPage } from "./page.js";
import { inVpcOf } from "./visibility.js";
import { type Patch, patchData } from "./vpcs.js";

const withTenant = {
  vpc: { select: { tenantId: true } },
} satisfies Prisma.SubnetInclude;

type SubnetRow = Prisma.SubnetGetPayload<{ include: typeof withTenant }>;

export interface NewSubnet {
  readonly id: string;
  readonly vpcId: string;
  readonly block: Cidr;
  readonly availabilityZone: string;
  readonly name: string | null;
  readonly tags: Tags;
  readonly generation: number;
}

/** Raises the exclusion violation `subnet_disjoint` when it overlaps another subnet of the VPC. */
export async function insertSubnet(tx: Tx, subnet: NewSubnet): Promise<Subnet> {
  const data = { ...subnet, block: formatCidr(subnet.block) };
  return toSubnet(await tx.subnet.create({ data, include: withTenant }));
}

/** @param visibleTo as `ownedBy` says */
export async function findSubnet(
  client: Tx,
  id: string,
  visibleTo: string | null,
): Promise<Subnet | null> {
  const row = await client.subnet.findUnique({
    where: { id, ...inVpcOf(visibleTo) },
    include: withTenant,
  });
  return row && toSubnet(row);
}

export interface SubnetFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly vpcId?: string | undefined;
  readonly tags: Tags;
}

export async function findSubnets(
  client: Tx,
  filter: SubnetFilter,
  page: PageRequest,
): Promise<Page<Subnet>> {
  if (!(await ownsParents(client, filter))) return NOTHING;
  const rows = await client.subnet.findMany({
    where: {
      number: { gt: page.after },
      ...(filter.tenantId !== null && { vpc: { tenantId: filter.tenantId } }),
      ...(filter.vpcId !== undefined && { vpcId: filter.vpcId }),
      AND: tagConditions(filter.tags),
    },
    include: withTenant,
    ...pageArguments(page),
  });
  return toPage(rows.map(toSubnet), page.limit);
}

export async function findSubnetOverlapping(
  client: Tx,
  vpcId: string,
  block: Cidr,
): Promise<string | undefined> {
  const rows = await client.$queryRaw<Array<{ id: string }>>`
    SELECT "id" FROM "subnet"
    WHERE "vpc_id" = ${vpcId} AND "block" && ${formatCidr(block)}::inet LIMIT 1`;
  return rows[0]?.id;
}

/** Ids of the subnets that lie in this block. */
export async function findSubnetsIn(client: Tx, vpcId: string, block: Cidr): Promise<string[]> {
  const rows = await client.$queryRaw<Array<{ id: string }>>`
    SELECT "id" FROM "subnet"
    WHERE "vpc_id" = ${vpcId} AND "block" <<= ${formatCidr(block)}::inet ORDER BY "number"`;
  return rows.map((row) => row.id);
}

export async function findSubnetIds(client: Tx, vpcId: string): Promise<string[]> {
  const rows = await client.subnet.findMany({
    where: { vpcId },
    select: { id: true },
    orderBy: { number: "asc" },
  });
  return rows.map((row) => row.id);
}

export async function countSubnets(client: Tx, vpcId: string): Promise<number> {
  return client.subnet.count({ where: { vpcId } });
}

export async function patchSubnet(tx: Tx, id: string, patch: Patch): Promise<Subnet> {
  const data = patchData(patch);
  return toSubnet(await tx.subnet.update({ where: { id }, data, include: withTenant }));
}

export async function removeSubnet(tx: Tx, id: string): Promise<void> {
  await tx.subnet.delete({ where: { id } });
}

function toSubnet(row: SubnetRow): Subnet {
  const { vpc, block: text, generation, tags, ...rest } = row;
  const block = cidr(text);
  return {
    ...rest,
    tenantId: vpc.tenantId,
    block,
    gateway: gatewayOf(block),
    tags: tags as Tags,
    generation: Number(generation),
  };
}

import { type Cidr, cidr, formatCidr } from "../domain/cidr.js";
import type { Page, PageRequest, Tags, Vpc } from "../domain/resources.js";
import type { Prisma } from "../generated/prisma/client.js";
import { inChunks } from "./chunks.js";
import type { Tx } from "./database/transaction.js";
import { pageArguments, tagConditions, toPage } from "./page.js";
import { ownedBy } from "./visibility.js";

const inOrder = [
  { primary: "desc" },
  { block: "asc" },
] satisfies Prisma.VpcCidrBlockOrderByWithRelationInput[];

const withBlocks = { blocks: { orderBy: inOrder } } satisfies Prisma.VpcInclude;

type VpcRow = Prisma.VpcGetPayload<{ include: typeof withBlocks }>;

export interface NewVpc {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string | null;
  readonly tags: Tags;
  readonly block: Cidr;
  readonly generation: number;
}

export async function insertVpc(tx: Tx, vpc: NewVpc): Promise<Vpc> {
  const { block, ...data } = vpc;
  const blocks = { create: { block: formatCidr(block), primary: true } };
  return toVpc(await tx.vpc.create({ data: { ...data, blocks }, include: withBlocks }));
}

/** @param visibleTo as `ownedBy` says */
export async function findVpc(
  client: Tx,
  id: string,
  visibleTo: string | null,
): Promise<Vpc | null> {
  const row = await client.vpc.findUnique({
    where: { id, ...ownedBy(visibleTo) },
    include: withBlocks,
  });
  return row && toVpc(row);
}

export interface VpcFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly vpcId?: string | undefined;
  readonly tags: Tags;
}

export async function findVpcs(
  client: Tx,
  filter: VpcFilter,
  page: PageRequest,
): Promise<Page<Vpc>> {
  const rows = await client.vpc.findMany({
    where: {
      number: { gt: page.after },
      ...(filter.tenantId !== null && { tenantId: filter.tenantId }),
      ...(filter.vpcId !== undefined && { id: filter.vpcId }),
      AND: tagConditions(filter.tags),
    },
    include: withBlocks,
    ...pageArguments(page),
  });
  return toPage(rows.map(toVpc), page.limit);
}

/**
 * Locks the rows of these VPCs in the order of their ids and returns those that exist, read after
 * the locks were granted. Every change to a VPC, to what is in it or to its live peerings holds
 * this lock.
 */
export async function lockVpcs(tx: Tx, ids: readonly string[]): Promise<Map<string, Vpc>> {
  await lockVpcRows(tx, ids);
  const rows = await inChunks(ids, (some) =>
    tx.vpc.findMany({ where: { id: { in: some } }, include: withBlocks }),
  );
  return new Map(rows.map((row) => [row.id, toVpc(row)]));
}

/** A VPC, provided that it is this tenant's; null: whoever's it is. */
export interface VpcOf {
  readonly id: string;
  readonly tenantId: string | null;
}

/** As `lockVpcs`, but nothing of a VPC that is somebody else's is locked or read. */
export async function lockVpcsOf(tx: Tx, wanted: readonly VpcOf[]): Promise<Map<string, Vpc>> {
  const ids = wanted.map(({ id }) => id);
  const tenantIds = wanted.map(({ tenantId }) => tenantId);
  await tx.$queryRaw`
    SELECT 1 FROM "vpc" v
    WHERE v."id" = ANY(${ids}) AND EXISTS (
      SELECT 1 FROM unnest(${ids}::text[], ${tenantIds}::text[]) AS w("id", "tenant_id")
      WHERE w."id" = v."id" AND (w."tenant_id" IS NULL OR w."tenant_id" = v."tenant_id"))
    ORDER BY v."id" FOR UPDATE`;
  const OR = wanted.map(({ id, tenantId }) => ({ id, ...ownedBy(tenantId) }));
  const rows = await tx.vpc.findMany({ where: { OR } });
  // Of all that are wanted: who reads the blocks of those that were found tells how many were.
  const where = { vpcId: { in: ids }, vpc: { OR } };
  const found = await tx.vpcCidrBlock.findMany({ where, orderBy: inOrder });
  const blocksOf = (id: string) => found.filter(({ vpcId }) => vpcId === id);
  return new Map(rows.map((row) => [row.id, toVpc({ ...row, blocks: blocksOf(row.id) })]));
}

/** The lock alone. */
export async function lockVpcRows(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "vpc" WHERE "id" = ANY(${[...ids]}::text[]) ORDER BY "id" FOR UPDATE`;
}

/** As `lockVpcRows`, for the VPCs at both ends of these peerings. */
export async function lockEndsOf(tx: Tx, peeringIds: readonly string[]): Promise<void> {
  await tx.$queryRaw`
    SELECT 1 FROM "vpc" WHERE "id" IN (
      SELECT unnest(ARRAY["requester_vpc_id", "accepter_vpc_id"]) FROM "vpc_peering"
      WHERE "id" = ANY(${[...peeringIds]}::text[]))
    ORDER BY "id" FOR UPDATE`;
}

/** Marks VPCs (locked by the caller) as changed: the switch is behind until it has followed. */
export async function touchVpcs(tx: Tx, ids: readonly string[], generation: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE "vpc" SET "generation" = ${BigInt(generation)} WHERE "id" = ANY(${[...ids]}::text[])`;
}

/** When each of these VPCs was last touched; one that is gone is left out. */
export async function findVpcGenerations(
  client: Tx,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await inChunks(ids, (some) =>
    client.vpc.findMany({ where: { id: { in: some } }, select: { id: true, generation: true } }),
  );
  return new Map(rows.map(({ id, generation }) => [id, Number(generation)]));
}

export interface Patch {
  readonly name?: string | null | undefined;
  readonly tags?: Tags | undefined;
}

export async function patchVpc(tx: Tx, id: string, patch: Patch): Promise<Vpc> {
  const row = await tx.vpc.update({
    where: { id },
    data: patchData(patch),
    include: withBlocks,
  });
  return toVpc(row);
}

export function patchData(patch: Patch) {
  return {
    ...(patch.name !== undefined && { name: patch.name }),
    ...(patch.tags !== undefined && { tags: { ...patch.tags } }),
  };
}

export async function findVpcIdsOf(client: Tx, tenantId: string, most: number): Promise<string[]> {
  const where = { tenantId };
  const rows = await client.vpc.findMany({ where, orderBy: { number: "asc" }, take: most });
  return rows.map(({ id }) => id);
}

export async function countVpcs(client: Tx, tenantId: string): Promise<number> {
  return client.vpc.count({ where: { tenantId } });
}

export async function insertBlock(tx: Tx, vpcId: string, block: Cidr): Promise<void> {
  await tx.vpcCidrBlock.create({ data: { vpcId, block: formatCidr(block), primary: false } });
}

export async function removeBlock(tx: Tx, vpcId: string, block: Cidr): Promise<void> {
  await tx.vpcCidrBlock.delete({ where: { vpcId_block: { vpcId, block: formatCidr(block) } } });
}

export async function removeVpc(tx: Tx, id: string): Promise<void> {
  await tx.vpc.delete({ where: { id } });
}

function toVpc(row: VpcRow): Vpc {
  return {
    id: row.id,
    number: row.number,
    tenantId: row.tenantId,
    name: row.name,
    tags: row.tags as Tags,
    blocks: row.blocks.map(({ block, primary }) => ({
      block: cidr(block),
      primary,
    })),
    generation: Number(row.generation),
    createdAt: row.createdAt,
  };
}

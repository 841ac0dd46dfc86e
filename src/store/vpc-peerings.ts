import { type Cidr, cidr, formatCidr } from "../domain/cidr.js";
import {
  LIVE_STATES,
  OPEN_STATES,
  type PeeringRole,
  type PeeringState,
} from "../domain/lifecycle.js";
import type { Page, PageRequest, Tags, VpcPeering } from "../domain/resources.js";
import type { Prisma } from "../generated/prisma/client.js";
import type { VpcPeeringModel } from "../generated/prisma/models.js";
import { inChunks } from "./chunks.js";
import type { Tx } from "./database/transaction.js";
import { pageArguments, toPage } from "./page.js";

export interface NewPeering {
  readonly id: string;
  readonly doomedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly generation: number;
  readonly statusMessage: string;
  readonly requesterTenantId: string;
  readonly requesterVpcId: string;
  readonly requesterName: string | null;
  readonly requesterTags: Tags;
  readonly requesterAutoRoutes: boolean;
  readonly requesterBlocks: readonly Cidr[];
  readonly accepterTenantId: string;
  readonly accepterVpcId: string;
  /** None when the request is doomed. */
  readonly accepterBlocks: readonly Cidr[];
}

/** Raises the unique violation `vpc_peering_one_open_per_pair` or `…_one_doomed_per_pair`. */
export async function insertPeering(tx: Tx, peering: NewPeering): Promise<VpcPeering> {
  const data = {
    ...peering,
    state: "pending-acceptance" satisfies PeeringState,
    requesterTags: { ...peering.requesterTags },
    requesterBlocks: peering.requesterBlocks.map(formatCidr),
    accepterBlocks: peering.accepterBlocks.map(formatCidr),
  };
  return toPeering(await tx.vpcPeering.create({ data }));
}

export async function findPeering(client: Tx, id: string): Promise<VpcPeering | null> {
  const row = await client.vpcPeering.findUnique({ where: { id } });
  return row && toPeering(row);
}

/** Those of these peerings that are in this state, in the order of their numbers. */
export async function findPeeringsIn(
  client: Tx,
  ids: readonly string[],
  state: PeeringState,
): Promise<VpcPeering[]> {
  const rows = await inChunks(ids, (some) =>
    client.vpcPeering.findMany({ where: { id: { in: some }, state } }),
  );
  return inOrder(rows);
}

/** The pending or live peering that was asked for in just this direction, doomed ones included. */
export async function findOpenRequest(
  client: Tx,
  requesterVpcId: string,
  accepterVpcId: string,
  accepterTenantId: string,
): Promise<VpcPeering | null> {
  const row = await client.vpcPeering.findFirst({
    where: {
      requesterVpcId,
      accepterVpcId,
      accepterTenantId,
      state: { in: [...OPEN_STATES] },
    },
  });
  return row && toPeering(row);
}

/** Live peerings of any of these VPCs, in the order of their numbers. */
export async function findLivePeerings(
  client: Tx,
  vpcIds: readonly string[],
): Promise<VpcPeering[]> {
  return findByVpcs(client, vpcIds, LIVE_STATES);
}

/**
 * Pending requests from or to a VPC, locked. Who deletes a VPC holds its lock alone, not those of
 * the VPCs at the other ends, which may be being deleted just now.
 */
export async function lockPendingPeerings(tx: Tx, vpcId: string): Promise<VpcPeering[]> {
  await tx.$queryRaw`
    SELECT 1 FROM "vpc_peering"
    WHERE "state" = 'pending-acceptance'
      AND ("requester_vpc_id" = ${vpcId} OR "accepter_vpc_id" = ${vpcId})
    ORDER BY "id" FOR UPDATE`;
  return findPendingPeerings(tx, [vpcId]);
}

/** Pending requests from or to any of these VPCs, doomed ones included. */
export async function findPendingPeerings(
  client: Tx,
  vpcIds: readonly string[],
): Promise<VpcPeering[]> {
  return findByVpcs(client, vpcIds, ["pending-acceptance"]);
}

async function findByVpcs(
  client: Tx,
  vpcIds: readonly string[],
  states: readonly PeeringState[],
): Promise<VpcPeering[]> {
  const state = { in: [...states] };
  const rows = await inChunks(vpcIds, (ids) =>
    client.vpcPeering.findMany({
      where: { state, OR: [{ requesterVpcId: { in: ids } }, { accepterVpcId: { in: ids } }] },
    }),
  );
  return inOrder(rows);
}

/** Each once, in the order of their numbers. */
function inOrder(rows: readonly VpcPeeringModel[]): VpcPeering[] {
  const once = new Map(rows.map((row) => [row.number, row]));
  return [...once.values()].sort((a, b) => a.number - b.number).map(toPeering);
}

export interface PeeringFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly state?: PeeringState | undefined;
  /** At either end. */
  readonly vpcId?: string | undefined;
  readonly role?: PeeringRole | undefined;
  readonly tags: Tags;
  /** What a side does not see any more at this time is left out. */
  readonly now: Date;
}

/** Each side is asked for on its own and in the order of an index, a page at most. */
export async function findPeerings(
  client: Tx,
  filter: PeeringFilter,
  page: PageRequest,
): Promise<Page<VpcPeering>> {
  const { state, vpcId } = filter;
  const ends = vpcId === undefined ? [] : [{ requesterVpcId: vpcId }, { accepterVpcId: vpcId }];
  const found = new Map<number, VpcPeeringModel>();
  for (const { where, orderBy } of sidesOf(filter)) {
    const rows = await client.vpcPeering.findMany({
      ...pageArguments(page),
      where: {
        AND: [where, ...(vpcId === undefined ? [] : [{ OR: ends }])],
        number: { gt: page.after },
        ...(state !== undefined && { state }),
      },
      orderBy,
    });
    for (const row of rows) found.set(row.number, row);
  }
  const rows = [...found.values()].sort((a, b) => a.number - b.number);
  return toPage(rows.map(toPeering), page.limit);
}

interface ListedSide {
  readonly where: Prisma.VpcPeeringWhereInput;
  readonly orderBy: Prisma.VpcPeeringOrderByWithRelationInput[];
}

function sidesOf(filter: PeeringFilter): ListedSide[] {
  if (filter.role === "requester") return [requesterSide(filter)];
  if (filter.role === "accepter") return [accepterSide(filter)];
  return [requesterSide(filter), accepterSide(filter)];
}

/**
 * Only these peerings, in an order in which only the index on tenant and number has them. Asked for
 * an equal tenant and the order of numbers alone, PostgreSQL may read the peerings of all others
 * until a page is full.
 */
function onlyOf(tenantId: string) {
  return { gte: tenantId, lte: tenantId };
}

function requesterSide({ tenantId, tags, now }: PeeringFilter): ListedSide {
  const AND = Object.entries(tags).map(([key, value]) => ({
    requesterTags: { path: [key], equals: value },
  }));
  if (tenantId === null) return { where: { AND }, orderBy: [{ number: "asc" }] };
  const shown = [{ requesterHiddenAt: null }, { requesterHiddenAt: { gt: now } }];
  return {
    where: { AND, requesterTenantId: onlyOf(tenantId), OR: shown },
    orderBy: [{ requesterTenantId: "asc" }, { number: "asc" }],
  };
}

function accepterSide({ tenantId, tags, now }: PeeringFilter): ListedSide {
  const AND = Object.entries(tags).map(([key, value]) => ({
    accepterTags: { path: [key], equals: value },
  }));
  if (tenantId === null) return { where: { AND }, orderBy: [{ number: "asc" }] };
  const shown = [{ accepterHiddenAt: null }, { accepterHiddenAt: { gt: now } }];
  return {
    where: { AND, accepterTenantId: onlyOf(tenantId), doomedAt: null, OR: shown },
    orderBy: [{ accepterTenantId: "asc" }, { number: "asc" }],
  };
}

/** How many live peerings the VPC of these that has the most of them has. */
export async function countMostLivePeerings(
  client: Tx,
  vpcIds: readonly string[],
): Promise<number> {
  const [row] = await client.$queryRaw<Array<{ most: number }>>`
    SELECT max(
      (SELECT count(*) FROM "vpc_peering" WHERE "requester_vpc_id" = v."id"
        AND "state" IN ('provisioning', 'active', 'deleting')) +
      (SELECT count(*) FROM "vpc_peering" WHERE "accepter_vpc_id" = v."id"
        AND "state" IN ('provisioning', 'active', 'deleting')))::int AS "most"
    FROM unnest(${vpcIds}::text[]) AS v("id")`;
  return row?.most ?? 0;
}

/** Notes in these peerings the blocks of one side's VPC, which have changed. */
export async function recordBlocks(
  tx: Tx,
  ids: readonly string[],
  role: PeeringRole,
  blocks: readonly Cidr[],
): Promise<void> {
  const texts = blocks.map(formatCidr);
  const data = role === "requester" ? { requesterBlocks: texts } : { accepterBlocks: texts };
  await inChunks(ids, async (some) => {
    await tx.vpcPeering.updateMany({ where: { id: { in: some } }, data });
    return [];
  });
}

export async function setAllowDns(
  tx: Tx,
  id: string,
  roles: readonly PeeringRole[],
  allow: boolean,
): Promise<VpcPeering> {
  const row = await tx.vpcPeering.update({
    where: { id },
    data: {
      ...(roles.includes("requester") && { requesterAllowDns: allow }),
      ...(roles.includes("accepter") && { accepterAllowDns: allow }),
    },
  });
  return toPeering(row);
}

export function toPeering(row: VpcPeeringModel): VpcPeering {
  return {
    id: row.id,
    number: row.number,
    state: row.state as PeeringState,
    statusMessage: row.statusMessage,
    requester: {
      tenantId: row.requesterTenantId,
      vpcId: row.requesterVpcId,
      name: row.requesterName,
      tags: row.requesterTags as Tags,
      blocks: row.requesterBlocks.map(cidr),
      autoRoutes: row.requesterAutoRoutes,
      allowDnsResolutionFromRemoteVpc: row.requesterAllowDns,
      hiddenAt: row.requesterHiddenAt,
    },
    accepter: {
      tenantId: row.accepterTenantId,
      vpcId: row.accepterVpcId,
      name: row.accepterName,
      tags: row.accepterTags as Tags,
      blocks: row.accepterBlocks.map(cidr),
      autoRoutes: row.accepterAutoRoutes,
      allowDnsResolutionFromRemoteVpc: row.accepterAllowDns,
      hiddenAt: row.accepterHiddenAt,
    },
    doomedAt: row.doomedAt,
    generation: Number(row.generation),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    activatedAt: row.activatedAt,
    endedAt: row.endedAt,
    endedByTenantId: row.endedByTenantId,
  };
}

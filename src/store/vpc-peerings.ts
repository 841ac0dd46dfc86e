import { type Cidr, cidr, formatCidr } from "../domain/cidr.js";
import {
  isTerminal,
  LIVE_STATES,
  OPEN_STATES,
  type PeeringRole,
  type PeeringState,
} from "../domain/lifecycle.js";
import type { Page, PageRequest, Tags, VpcPeering } from "../domain/resources.js";
import type { VpcPeeringModel } from "../generated/prisma/models.js";
import type { Tx } from "./database/transaction.js";
import { pageArguments, toPage } from "./page.js";

export interface NewPeering {
  readonly id: string;
  readonly doomedAt: Date | null;
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

export async function lockPeering(tx: Tx, id: string): Promise<VpcPeering | null> {
  await tx.$queryRaw`SELECT 1 FROM "vpc_peering" WHERE "id" = ${id} FOR UPDATE`;
  return findPeering(tx, id);
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

/** Pending requests from or to any of these VPCs, doomed ones included. */
export async function findPendingPeerings(
  client: Tx,
  vpcIds: readonly string[],
): Promise<VpcPeering[]> {
  return findByVpcs(client, vpcIds, ["pending-acceptance"]);
}

export async function findAllLivePeerings(client: Tx): Promise<VpcPeering[]> {
  const rows = await client.vpcPeering.findMany({
    where: { state: { in: [...LIVE_STATES] } },
    orderBy: { number: "asc" },
  });
  return rows.map(toPeering);
}

async function findByVpcs(
  client: Tx,
  vpcIds: readonly string[],
  states: readonly PeeringState[],
): Promise<VpcPeering[]> {
  const ids = [...vpcIds];
  const rows = await client.vpcPeering.findMany({
    where: {
      state: { in: [...states] },
      OR: [{ requesterVpcId: { in: ids } }, { accepterVpcId: { in: ids } }],
    },
    orderBy: { number: "asc" },
  });
  return rows.map(toPeering);
}

export async function findDoomedPeerings(client: Tx, dueAt: Date): Promise<VpcPeering[]> {
  const rows = await client.vpcPeering.findMany({
    where: { state: "pending-acceptance", doomedAt: { lte: dueAt } },
    orderBy: { number: "asc" },
  });
  return rows.map(toPeering);
}

export interface PeeringFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly state?: PeeringState | undefined;
  readonly vpcId?: string | undefined;
  readonly role?: PeeringRole | undefined;
  readonly tags: Tags;
}

export async function findPeerings(
  client: Tx,
  filter: PeeringFilter,
  page: PageRequest,
): Promise<Page<VpcPeering>> {
  const sides = [requesterSide(filter), accepterSide(filter)].filter((_, index) =>
    filter.role === undefined ? true : index === (filter.role === "requester" ? 0 : 1),
  );
  const rows = await client.vpcPeering.findMany({
    where: {
      number: { gt: page.after },
      ...(filter.state !== undefined && { state: filter.state }),
      OR: sides,
    },
    ...pageArguments(page),
  });
  return toPage(rows.map(toPeering), page.limit);
}

function requesterSide({ tenantId, vpcId, tags }: PeeringFilter) {
  return {
    ...(tenantId !== null && { requesterTenantId: tenantId }),
    ...(vpcId !== undefined && { requesterVpcId: vpcId }),
    AND: Object.entries(tags).map(([key, value]) => ({
      requesterTags: { path: [key], equals: value },
    })),
  };
}

function accepterSide({ tenantId, vpcId, tags }: PeeringFilter) {
  return {
    ...(tenantId !== null && { accepterTenantId: tenantId, doomedAt: null }),
    ...(vpcId !== undefined && { accepterVpcId: vpcId }),
    AND: Object.entries(tags).map(([key, value]) => ({
      accepterTags: { path: [key], equals: value },
    })),
  };
}

export interface Transition {
  readonly id: string;
  readonly from: PeeringState;
  readonly to: PeeringState;
  readonly statusMessage: string;
  readonly at: Date;
  readonly generation: number;
  /** The tenant whose call ended the peering. */
  readonly endedByTenantId?: string | undefined;
}

/** Moves a peering on, when it still is where it was thought to be. */
export async function transitionPeering(tx: Tx, move: Transition): Promise<VpcPeering | null> {
  const [row] = await tx.vpcPeering.updateManyAndReturn({
    where: { id: move.id, state: move.from },
    data: {
      state: move.to,
      statusMessage: move.statusMessage,
      generation: move.generation,
      ...(move.to === "active" && { activatedAt: move.at }),
      ...(isTerminal(move.to) && { endedAt: move.at }),
      ...(move.endedByTenantId !== undefined && {
        endedByTenantId: move.endedByTenantId,
      }),
    },
  });
  return row === undefined ? null : toPeering(row);
}

export async function recordAcceptance(
  tx: Tx,
  id: string,
  acceptance: { autoRoutes: boolean; blocks: readonly Cidr[] },
): Promise<void> {
  await tx.vpcPeering.update({
    where: { id },
    data: {
      accepterAutoRoutes: acceptance.autoRoutes,
      accepterBlocks: acceptance.blocks.map(formatCidr),
    },
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

function toPeering(row: VpcPeeringModel): VpcPeering {
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
    },
    accepter: {
      tenantId: row.accepterTenantId,
      vpcId: row.accepterVpcId,
      name: row.accepterName,
      tags: row.accepterTags as Tags,
      blocks: row.accepterBlocks.map(cidr),
      autoRoutes: row.accepterAutoRoutes,
      allowDnsResolutionFromRemoteVpc: row.accepterAllowDns,
    },
    doomedAt: row.doomedAt,
    generation: Number(row.generation),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    activatedAt: row.activatedAt,
    endedAt: row.endedAt,
  };
}

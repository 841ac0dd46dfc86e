import { gatewayOf } from "../domain/address-plan.js";
import { cidr } from "../domain/cidr.js";
import type {
  IntentSlice,
  PeeringIntent,
  PeeringSide,
  Scope,
  VpcIntent,
} from "../domain/intent.js";
import type { VpcPeering, VpcPeeringSide } from "../domain/resources.js";
import type { Prisma, PrismaClient } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";
import { inTransaction } from "./database/transaction.js";
import { storedIp } from "./network-interfaces.js";
import { storedBlock } from "./route-tables.js";
import { findAllLivePeerings, findLivePeerings } from "./vpc-peerings.js";

const contents = {
  blocks: true,
  subnets: { orderBy: { number: "asc" } },
  interfaces: { orderBy: { number: "asc" } },
  tables: {
    orderBy: { number: "asc" },
    include: { routes: { orderBy: { destination: "asc" } } },
  },
} satisfies Prisma.VpcInclude;

type VpcRow = Prisma.VpcGetPayload<{ include: typeof contents }>;

/** The numbers and blocks of a VPC, which is all that its peers' flows need to know of it. */
interface PeerFacts {
  readonly number: number;
  readonly blocks: PeeringSide["blocks"];
}

/** Reads intent for the scope, all of it as of one generation. */
export async function loadIntent(db: PrismaClient, scope: Scope): Promise<IntentSlice> {
  return inTransaction(db, (tx) => readSlice(tx, scope), {
    isolationLevel: "RepeatableRead",
  });
}

async function readSlice(tx: Tx, scope: Scope): Promise<IntentSlice> {
  const generation = await tx.generation.findUniqueOrThrow({
    where: { singleton: true },
  });
  const rows = await tx.vpc.findMany({
    ...(scope !== "all" && { where: { id: { in: [...scope] } } }),
    include: contents,
  });
  const peerings =
    scope === "all" ? await findAllLivePeerings(tx) : await findLivePeerings(tx, [...scope]);
  const facts = new Map(rows.map((row) => [row.id, factsOf(row)]));
  await addPeersOutside(tx, peerings, facts);
  const admitted = new Map(peerings.filter(isAdmitted).map(({ id, number }) => [id, number]));
  return {
    scope,
    generation: Number(generation.value),
    vpcs: new Map(rows.map((row) => [row.id, toVpcIntent(row, admitted)])),
    peerings: peerings.flatMap((peering) => toPeeringIntent(peering, facts) ?? []),
  };
}

async function addPeersOutside(
  tx: Tx,
  peerings: readonly VpcPeering[],
  facts: Map<string, PeerFacts>,
): Promise<void> {
  const peers = peerings.flatMap(({ requester, accepter }) => [requester.vpcId, accepter.vpcId]);
  const missing = peers.filter((id) => !facts.has(id));
  if (missing.length === 0) return;
  const rows = await tx.vpc.findMany({
    where: { id: { in: missing } },
    select: { id: true, number: true, blocks: true },
  });
  for (const row of rows) facts.set(row.id, factsOf(row));
}

/** One live peering as intent; undefined when it is not live. */
export async function loadPeeringIntent(
  client: Tx,
  peering: VpcPeering,
): Promise<PeeringIntent | undefined> {
  const facts = new Map<string, PeerFacts>();
  await addPeersOutside(client, [peering], facts);
  return toPeeringIntent(peering, facts);
}

/**
 * Whether flows for it are wanted. A live peering's VPCs exist (deletion is guarded); one of a
 * peering that is not live may be gone.
 */
function toPeeringIntent(
  peering: VpcPeering,
  facts: ReadonlyMap<string, PeerFacts>,
): PeeringIntent | undefined {
  const requester = facts.get(peering.requester.vpcId);
  const accepter = facts.get(peering.accepter.vpcId);
  if (requester === undefined || accepter === undefined) return undefined;
  return {
    id: peering.id,
    number: peering.number,
    requester: toSide(peering.requester, requester),
    accepter: toSide(peering.accepter, accepter),
    admitted: isAdmitted(peering),
    settling: peering.state === "provisioning" || peering.state === "deleting",
  };
}

function isAdmitted({ state }: VpcPeering): boolean {
  return state === "provisioning" || state === "active";
}

function toSide(side: VpcPeeringSide, facts: PeerFacts): PeeringSide {
  return { vpcId: side.vpcId, vpcNumber: facts.number, blocks: facts.blocks };
}

function factsOf(row: { number: number; blocks: Array<{ block: string }> }): PeerFacts {
  return {
    number: row.number,
    blocks: row.blocks.map(({ block }) => cidr(block)),
  };
}

function toVpcIntent(row: VpcRow, admitted: ReadonlyMap<string, number>): VpcIntent {
  const numbers = new Map(row.tables.map(({ id, number }) => [id, number]));
  const main = row.tables.find((table) => table.main)?.number ?? 0;
  return {
    id: row.id,
    number: row.number,
    generation: Number(row.generation),
    blocks: factsOf(row).blocks,
    subnets: row.subnets.map(({ id, block, routeTableId }) => ({
      id,
      block: cidr(block),
      gateway: gatewayOf(cidr(block)),
      routeTable: numbers.get(routeTableId ?? "") ?? main,
    })),
    routeTables: row.tables.map(({ id, number, routes }) => ({
      id,
      number,
      routes: routes.map((route) => ({
        destination: storedBlock(route.destination),
        peering: admitted.get(route.vpcPeeringId) ?? null,
      })),
    })),
    interfaces: row.interfaces.map((networkInterface) => ({
      id: networkInterface.id,
      number: networkInterface.number,
      subnetId: networkInterface.subnetId,
      ip: storedIp(networkInterface.privateIp),
      mac: networkInterface.macAddress,
    })),
  };
}

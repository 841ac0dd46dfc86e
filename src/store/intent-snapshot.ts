import type { IntentSlice, PeeringIntent, PeeringSide, Scope } from "../domain/intent.js";
import { DEFAULT_QUOTAS, type Quotas } from "../domain/quotas.js";
import type { VpcPeering } from "../domain/resources.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";
import { type PeeringRow, queryIntent } from "./intent-query.js";
import { blockReader, isAdmitted, toVpcIntents } from "./intent-rows.js";

/** The numbers and blocks of a VPC, which is all that its peers' flows need to know of it. */
type PeerFacts = Pick<PeeringSide, "vpcNumber" | "blocks">;

/** What bounds the intent of a VPC, whatever others have stored. */
export type IntentQuotas = Pick<Quotas, "peerGroupMembers">;

/** Reads intent for the scope, all of it as of one generation. */
export async function loadIntent(
  db: PrismaClient,
  scope: Scope,
  { peerGroupMembers }: IntentQuotas = DEFAULT_QUOTAS,
): Promise<IntentSlice> {
  // One more than are in force shows whether there are more.
  const rows = await queryIntent(db, scope, peerGroupMembers + 1);
  const readBlock = blockReader();
  const inScope = (id: string) => scope === "all" || scope.has(id);
  const vpcs = toVpcIntents(rows, inScope, { readBlock, peerGroupMembers });
  const facts = new Map<string, PeerFacts>();
  for (const [id, vpcNumber, , blocks] of rows.vpcs) {
    facts.set(id, { vpcNumber, blocks: blocks.map(readBlock) });
  }
  return {
    scope,
    generation: rows.generation,
    vpcs: new Map(vpcs.map((vpc) => [vpc.id, vpc])),
    peerings: rows.peerings.flatMap((row) => toPeeringIntent(fromRow(row), facts) ?? []),
  };
}

/** What intent knows of a peering besides its VPCs' facts. */
interface PeeringEnds extends Pick<VpcPeering, "id" | "number" | "state"> {
  readonly requester: Pick<PeeringSide, "vpcId">;
  readonly accepter: Pick<PeeringSide, "vpcId">;
}

function fromRow([id, number, state, requesterVpcId, accepterVpcId]: PeeringRow): PeeringEnds {
  return {
    id,
    number,
    state,
    requester: { vpcId: requesterVpcId },
    accepter: { vpcId: accepterVpcId },
  };
}

/** One live peering as intent; undefined when it is not live. */
export async function loadPeeringIntent(
  client: Tx,
  peering: VpcPeering,
): Promise<PeeringIntent | undefined> {
  const ends = [peering.requester.vpcId, peering.accepter.vpcId];
  const rows = await client.vpc.findMany({
    where: { id: { in: ends } },
    select: {
      id: true,
      number: true,
      blocks: { select: { block: true }, orderBy: [{ primary: "desc" }, { block: "asc" }] },
    },
  });
  const readBlock = blockReader();
  const facts = rows.map(({ id, number, blocks }): [string, PeerFacts] => [
    id,
    { vpcNumber: number, blocks: blocks.map(({ block }) => readBlock(block)) },
  ]);
  return toPeeringIntent(peering, new Map(facts));
}

/**
 * Whether flows for it are wanted. A live peering's VPCs exist (deletion is guarded); one of a
 * peering that is not live may be gone.
 */
function toPeeringIntent(
  { id, number, state, requester, accepter }: PeeringEnds,
  facts: ReadonlyMap<string, PeerFacts>,
): PeeringIntent | undefined {
  const requesterFacts = facts.get(requester.vpcId);
  const accepterFacts = facts.get(accepter.vpcId);
  if (requesterFacts === undefined || accepterFacts === undefined) return undefined;
  return {
    id,
    number,
    requester: { vpcId: requester.vpcId, ...requesterFacts },
    accepter: { vpcId: accepter.vpcId, ...accepterFacts },
    admitted: isAdmitted(state),
    settling: state === "provisioning" || state === "deleting",
  };
}

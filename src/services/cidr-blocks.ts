import { vpcBlock } from "../domain/address-plan.js";
import { type Cidr, formatCidr, overlaps, parseCidr } from "../domain/cidr.js";
import { DomainError, inUse } from "../domain/errors.js";
import { type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { Vpc } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findRouteInside, removePeeringRoutes } from "../store/route-tables.js";
import { findSubnetsIn } from "../store/subnets.js";
import { findLivePeerings } from "../store/vpc-peerings.js";
import { findVpc, insertBlock, lockVpcs, removeBlock, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { lockOpenPeerings, type OpenPeering } from "./open-peerings.js";
import { addPeeringRoute, noteBlocks } from "./peering-blocks.js";
import { blocksOf } from "./request-peering.js";
import { resourceChange } from "./resource-change.js";
import { requireVpc } from "./vpcs.js";
import { recordWithheld, type Withheld } from "./withheld-routes.js";

/** A VPC with its peers, all of them locked. */
interface Neighbourhood {
  readonly vpc: Vpc;
  readonly peerings: readonly OpenPeering[];
}

/**
 * Adds a block to a VPC; its live peerings follow.
 * @throws DomainError `OverlappingCidr` naming the peering, `RouteAlreadyExists` naming the route,
 *   `CidrBlockLimitExceeded`, `InvalidVpcRange`
 */
export async function addCidrBlock(
  ctx: ServiceContext,
  caller: Principal,
  vpcId: string,
  input: { cidrBlock: string },
): Promise<Vpc> {
  const block = vpcBlock(input.cidrBlock);
  return changeNeighbourhood(ctx, caller, vpcId, async (tx, { vpc, peerings }) => {
    requireQuota(ctx.quotas, "blocksPerVpc", vpc.blocks.length);
    refuseOverlap(vpc, peerings, block);
    await refuseRouteInside(tx, vpcId, block);
    await insertBlock(tx, vpcId, block);
    const withheld: Withheld[] = [];
    for (const peering of peerings) {
      withheld.push(...(await addPeeringRoute(ctx, tx, peering, block)));
    }
    return withheld;
  });
}

/** @throws DomainError `DependencyViolation` listing subnets in it, `InvalidParameterValue` */
export async function removeCidrBlock(
  ctx: ServiceContext,
  caller: Principal,
  vpcId: string,
  text: string,
): Promise<void> {
  await changeNeighbourhood(ctx, caller, vpcId, async (tx, { vpc, peerings }) => {
    const block = requireRemovable(vpc, text);
    const blockedBy = await findSubnetsIn(tx, vpcId, block);
    if (blockedBy.length > 0) throw inUse(text, blockedBy);
    await removeBlock(tx, vpcId, block);
    for (const { peering } of peerings) await removePeeringRoutes(tx, peering.id, block);
    return [];
  });
}

/**
 * Changes the blocks of a VPC under locks on it and on all its live peers.
 * @param work yields the routes that were withheld from the peers
 */
async function changeNeighbourhood(
  ctx: ServiceContext,
  caller: Principal,
  vpcId: string,
  work: (tx: Tx, neighbourhood: Neighbourhood) => Promise<Withheld[]>,
): Promise<Vpc> {
  // Before its peers are looked for: what is somebody else's is not to be found out by them.
  requireVpc(caller, vpcId, await findVpc(ctx.db, vpcId, caller.tenantId));
  for (;;) {
    const expected = await peerIds(ctx.db, vpcId);
    const done = await inTransaction(ctx.db, async (tx) => {
      const vpcs = await lockVpcs(tx, [vpcId, ...expected]);
      const vpc = requireVpc(caller, vpcId, vpcs.get(vpcId) ?? null);
      requirePermission(caller, "vpc:update");
      const peerings = await lockOpenPeerings(tx, vpcId);
      // Somebody became a peer before the locks were granted: start over with them among the locked.
      if (peerings.some(({ peerVpcId, live }) => live && !vpcs.has(peerVpcId))) return undefined;
      const withheld = await work(tx, { vpc, peerings: peerings.filter(({ live }) => live) });
      const touched = [vpcId, ...expected];
      const change = resourceChange(caller, "vpc", vpc.tenantId, vpcId, "update");
      await touchVpcs(tx, touched, await recordChange(tx, change));
      await recordWithheld(tx, withheld);
      const after = requireVpc(caller, vpcId, await findVpc(tx, vpcId, caller.tenantId));
      await noteBlocks(tx, peerings, blocksOf(after));
      return { vpc: after, touched };
    });
    if (done === undefined) continue;
    await follow(ctx, done.touched);
    return done.vpc;
  }
}

async function peerIds(client: Tx, vpcId: string): Promise<string[]> {
  const peerings = await findLivePeerings(client, [vpcId]);
  const ends = peerings.flatMap(({ requester, accepter }) => [requester.vpcId, accepter.vpcId]);
  return ends.filter((id) => id !== vpcId);
}

function refuseOverlap(vpc: Vpc, peerings: readonly OpenPeering[], block: Cidr): void {
  const pointer = "/cidrBlock";
  const text = formatCidr(block);
  const own = blocksOf(vpc).find((other) => overlaps(other, block));
  if (own !== undefined) {
    const detail = `${text} overlaps ${formatCidr(own)} of the VPC itself`;
    throw new DomainError("OverlappingCidr", detail, { pointer });
  }
  for (const { peering, peerBlocks } of peerings) {
    if (!peerBlocks.some((other) => overlaps(other, block))) continue;
    const detail = `${text} overlaps a block of the peer in ${peering.id}`;
    throw new DomainError("OverlappingCidr", detail, { pointer, blockedBy: [peering.id] });
  }
}

async function refuseRouteInside(tx: Tx, vpcId: string, block: Cidr): Promise<void> {
  const route = await findRouteInside(tx, vpcId, block);
  if (route === undefined) return;
  const detail = `route table ${route.routeTableId} has a route to ${route.destination}`;
  const context = { pointer: "/cidrBlock", blockedBy: [route.routeTableId] };
  throw new DomainError("RouteAlreadyExists", detail, context);
}

function requireRemovable(vpc: Vpc, text: string): Cidr {
  const parsed = parseCidr(text);
  const entry = vpc.blocks.find(({ block }) => formatCidr(block) === text);
  if (parsed === undefined || entry === undefined) {
    throw new DomainError("NotFound", `VPC ${vpc.id} has no CIDR block ${text}`);
  }
  if (entry.primary) {
    throw new DomainError("InvalidParameterValue", "the primary CIDR block goes with its VPC only");
  }
  return entry.block;
}

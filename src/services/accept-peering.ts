import { findOverlap, formatCidr, overlaps } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { judgeAction } from "../domain/lifecycle.js";
import { ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { rolesIn, type Vpc, type VpcPeering, type VpcPeeringSide } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findLivePeerings, recordAcceptance, transitionPeering } from "../store/vpc-peerings.js";
import { touchVpcs } from "../store/vpcs.js";
import { actorOf } from "./authentication.js";
import type { ServiceContext } from "./context.js";
import { lockPeeringWithVpcs } from "./peering-access.js";
import { peeringChange, SETUP_FAILED, SYSTEM } from "./peering-changes.js";
import { settled } from "./peering-settlement.js";
import { blocksOf, overlapping } from "./request-peering.js";

/** The peering after the attempt, and why it ended in `failed` if it did. */
interface Attempt {
  readonly peering: VpcPeering;
  readonly failure?: DomainError;
}

/**
 * Accepts a pending request, and waits up to `waitMs` for the switch to confirm it.
 *
 * Everything that was checked when it was asked for is checked again, under locks on both VPCs. A
 * request that has become impossible ends in `failed`; one whose routes collide stays pending.
 * @throws DomainError `RouteAlreadyExists`, `OverlappingCidr`, `InvalidStateTransition`
 */
export async function acceptPeering(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  input: { autoRoutes?: boolean | undefined },
  waitMs: number,
): Promise<VpcPeering> {
  const attempt = await inTransaction(ctx.db, (tx) => attemptAccept(ctx, tx, caller, id, input));
  if (attempt.failure !== undefined) throw attempt.failure;
  const { requester, accepter } = attempt.peering;
  ctx.waker.wake([requester.vpcId, accepter.vpcId]);
  return settled(ctx, attempt.peering, waitMs);
}

async function attemptAccept(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  id: string,
  input: { autoRoutes?: boolean | undefined },
): Promise<Attempt> {
  const { peering, vpcs } = await lockPeeringWithVpcs(tx, caller, id);
  requirePermission(caller, "vpc_peering:accept");
  const tenantId = ownTenant(caller);
  const role = rolesIn(peering, tenantId).includes("accepter") ? "accepter" : "requester";
  if (judgeAction("accept", peering.state, role) === "already-done") return { peering };
  const ends = checkEnds(peering, vpcs);
  if (ends instanceof DomainError) {
    return { peering: await fail(ctx, tx, peering), failure: ends };
  }
  const { requester, accepter } = ends;
  await refuseCollidingRoutes(tx, peering, requester, accepter, tenantId);
  const generation = await recordChange(
    tx,
    peeringChange(actorOf(caller), peering, "accept", "provisioning"),
  );
  await touchVpcs(tx, [requester.id, accepter.id], generation);
  const acceptance = {
    autoRoutes: input.autoRoutes ?? true,
    blocks: blocksOf(accepter),
  };
  await recordAcceptance(tx, id, acceptance);
  return {
    peering: await move(ctx, tx, peering, "provisioning", "Provisioning", generation),
  };
}

function ownedBy(vpcs: ReadonlyMap<string, Vpc>, side: VpcPeeringSide): Vpc | undefined {
  const vpc = vpcs.get(side.vpcId);
  return vpc?.tenantId === side.tenantId ? vpc : undefined;
}

/** The two VPCs, or why the peering has become impossible. */
function checkEnds(
  peering: VpcPeering,
  vpcs: ReadonlyMap<string, Vpc>,
): { requester: Vpc; accepter: Vpc } | DomainError {
  const requester = ownedBy(vpcs, peering.requester);
  const accepter = ownedBy(vpcs, peering.accepter);
  if (requester === undefined || accepter === undefined) {
    return new DomainError("InvalidVpcID.NotFound", SETUP_FAILED);
  }
  const overlap = findOverlap(blocksOf(requester), blocksOf(accepter));
  return overlap === undefined
    ? { requester, accepter }
    : overlapping(requester, accepter, overlap);
}

async function fail(ctx: ServiceContext, tx: Tx, peering: VpcPeering): Promise<VpcPeering> {
  const generation = await recordChange(tx, peeringChange(SYSTEM, peering, "fail", "failed"));
  return move(ctx, tx, peering, "failed", SETUP_FAILED, generation);
}

async function move(
  ctx: ServiceContext,
  tx: Tx,
  peering: VpcPeering,
  to: "provisioning" | "failed",
  statusMessage: string,
  generation: number,
): Promise<VpcPeering> {
  const { id, state: from } = peering;
  const at = ctx.clock();
  const moved = await transitionPeering(tx, {
    id,
    from,
    to,
    statusMessage,
    at,
    generation,
  });
  if (moved === null) throw new Error(`peering ${id} changed under its lock`);
  return moved;
}

/**
 * Until a VPC has route tables of its own, every live peering routes its peer's whole blocks: two
 * peers of one VPC may not overlap.
 */
async function refuseCollidingRoutes(
  tx: Tx,
  peering: VpcPeering,
  requester: Vpc,
  accepter: Vpc,
  tenantId: string,
): Promise<void> {
  for (const [own, peer] of [
    [accepter, requester],
    [requester, accepter],
  ] as const) {
    const collision = await findCollision(tx, peering.id, own, peer);
    if (collision !== undefined) throw routeExists(own, collision, own.tenantId === tenantId);
  }
}

interface Collision {
  readonly block: string;
  readonly peeringId: string;
}

async function findCollision(
  tx: Tx,
  peeringId: string,
  own: Vpc,
  peer: Vpc,
): Promise<Collision | undefined> {
  for (const live of await findLivePeerings(tx, [own.id])) {
    const far = live.requester.vpcId === own.id ? live.accepter : live.requester;
    const block = far.blocks.find((taken) => blocksOf(peer).some((b) => overlaps(taken, b)));
    if (live.id !== peeringId && block !== undefined) {
      return { block: formatCidr(block), peeringId: live.id };
    }
  }
  return undefined;
}

/** Whom the other side is peered with is its own business. */
function routeExists(own: Vpc, collision: Collision, visible: boolean): DomainError {
  if (!visible) {
    return new DomainError("RouteAlreadyExists", "a route of the other VPC is in the way");
  }
  const { block, peeringId } = collision;
  const detail = `VPC ${own.id} has a route to ${block} through ${peeringId} already`;
  return new DomainError("RouteAlreadyExists", detail, {
    blockedBy: [peeringId],
  });
}

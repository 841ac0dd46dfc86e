import { findOverlap } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { judgeAction } from "../domain/lifecycle.js";
import { ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import { rolesIn, type Vpc, type VpcPeering, type VpcPeeringSide } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { type Transition, transitionPeering } from "../store/peering-transitions.js";
import { countMostLivePeerings } from "../store/vpc-peerings.js";
import { touchVpcs } from "../store/vpcs.js";
import { actorOf } from "./authentication.js";
import { addAutoRoutes } from "./auto-routes.js";
import type { ServiceContext } from "./context.js";
import { tellOfLimitsBetween } from "./limited-rules.js";
import { lockPeeringWithVpcs } from "./peering-access.js";
import { peeringChange, SETUP_FAILED } from "./peering-changes.js";
import { settled } from "./peering-settlement.js";
import { expirePeering, failPeering } from "./peering-sweeps.js";
import { blocksOf, overlapping } from "./request-peering.js";
import { recordWithheld } from "./withheld-routes.js";

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
  return settled(ctx, caller, attempt.peering, waitMs);
}

async function attemptAccept(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  id: string,
  input: { autoRoutes?: boolean | undefined },
): Promise<Attempt> {
  const { peering, vpcs } = await lockPeeringWithVpcs(ctx, tx, caller, id);
  requirePermission(caller, "vpc_peering:accept");
  const tenantId = ownTenant(caller);
  const role = rolesIn(peering, tenantId).includes("accepter") ? "accepter" : "requester";
  if (judgeAction("accept", peering.state, role) === "already-done") return { peering };
  if (peering.expiresAt <= ctx.clock()) {
    return { peering: await expirePeering(ctx, tx, peering), failure: tooLate() };
  }
  const ends = checkEnds(peering, vpcs);
  if (ends instanceof DomainError) {
    return { peering: await failPeering(ctx, tx, peering), failure: ends };
  }
  const { requester, accepter } = ends;
  const live = await countMostLivePeerings(tx, [requester.id, accepter.id]);
  requireQuota(ctx.quotas, "livePeeringsPerVpc", live);
  const autoRoutes = input.autoRoutes ?? true;
  const wishes = { requester: peering.requester.autoRoutes, accepter: autoRoutes };
  const withheld = await addAutoRoutes(ctx, tx, { peering, requester, accepter, wishes });
  const generation = await recordChange(
    tx,
    peeringChange(actorOf(caller), peering, "accept", "provisioning"),
  );
  await recordWithheld(tx, withheld);
  await touchVpcs(tx, [requester.id, accepter.id], generation);
  const accepted = await move(ctx, tx, peering, {
    to: "provisioning",
    statusMessage: "Provisioning",
    generation,
    acceptance: { autoRoutes, blocks: blocksOf(accepter) },
  });
  await tellOfLimitsBetween(ctx, tx, requester.id, accepter.id);
  return { peering: accepted };
}

/** The sweep has not come by yet; the answer is as if it had. */
function tooLate(): DomainError {
  return new DomainError(
    "InvalidStateTransition",
    "attempted to transition from expired to active",
  );
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

async function move(
  ctx: ServiceContext,
  tx: Tx,
  peering: VpcPeering,
  transition: Omit<Transition, "at">,
): Promise<VpcPeering> {
  const moved = await transitionPeering(tx, peering, { ...transition, at: ctx.clock() });
  if (moved === null) throw new Error(`peering ${peering.id} changed under its lock`);
  return moved;
}

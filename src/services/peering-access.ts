import { DomainError } from "../domain/errors.js";
import type { Principal } from "../domain/principal.js";
import type { Vpc, VpcPeering, VpcPeeringSide } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { findPeering } from "../store/vpc-peerings.js";
import { lockVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";

/** @throws DomainError `InvalidVpcPeeringConnectionID.NotFound`, also when it is not the caller's */
export function requirePeering(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  peering: VpcPeering | null,
  pointer?: string,
): VpcPeering {
  if (peering === null || !seesPeering(caller, peering, ctx.clock())) {
    const detail = `there is no VPC peering ${id}`;
    const context = pointer === undefined ? {} : { pointer };
    throw new DomainError("InvalidVpcPeeringConnectionID.NotFound", detail, context);
  }
  return peering;
}

/** A doomed request exists for its requester alone; one that has ended, for a while. */
export function seesPeering(caller: Principal, peering: VpcPeering, now: Date): boolean {
  const { tenantId } = caller;
  if (tenantId === null) return true;
  const sees = (side: VpcPeeringSide) =>
    side.tenantId === tenantId && (side.hiddenAt === null || side.hiddenAt > now);
  return sees(peering.requester) || (peering.doomedAt === null && sees(peering.accepter));
}

/**
 * Locks both VPCs in id order and reads the peering under those locks, which are also its own: who
 * changes a peering that has not ended holds the locks on its VPCs.
 */
export async function lockPeeringWithVpcs(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  id: string,
): Promise<{ peering: VpcPeering; vpcs: Map<string, Vpc> }> {
  const seen = requirePeering(ctx, caller, id, await findPeering(tx, id));
  const vpcs = await lockVpcs(tx, [seen.requester.vpcId, seen.accepter.vpcId]);
  return {
    peering: requirePeering(ctx, caller, id, await findPeering(tx, id)),
    vpcs,
  };
}

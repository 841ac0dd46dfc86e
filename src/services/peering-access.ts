import { DomainError } from "../domain/errors.js";
import type { Principal } from "../domain/principal.js";
import type { Vpc, VpcPeering } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { findPeering, lockPeering } from "../store/vpc-peerings.js";
import { lockVpcs } from "../store/vpcs.js";

/** @throws DomainError `InvalidVpcPeeringConnectionID.NotFound`, also when it is not the caller's */
export function requirePeering(
  caller: Principal,
  id: string,
  peering: VpcPeering | null,
): VpcPeering {
  if (peering === null || !seesPeering(caller, peering)) {
    const detail = `there is no VPC peering ${id}`;
    throw new DomainError("InvalidVpcPeeringConnectionID.NotFound", detail);
  }
  return peering;
}

/** A doomed request exists for its requester alone. */
export function seesPeering(caller: Principal, peering: VpcPeering): boolean {
  const { tenantId } = caller;
  if (tenantId === null || peering.requester.tenantId === tenantId) return true;
  return peering.accepter.tenantId === tenantId && peering.doomedAt === null;
}

/** Locks both VPCs in id order, then the peering, and reads them under those locks. */
export async function lockPeeringWithVpcs(
  tx: Tx,
  caller: Principal,
  id: string,
): Promise<{ peering: VpcPeering; vpcs: Map<string, Vpc> }> {
  const seen = requirePeering(caller, id, await findPeering(tx, id));
  const vpcs = await lockVpcs(tx, [seen.requester.vpcId, seen.accepter.vpcId]);
  return {
    peering: requirePeering(caller, id, await lockPeering(tx, id)),
    vpcs,
  };
}

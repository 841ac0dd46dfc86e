import type { PeeringIntent } from "../domain/intent.js";
import {
  judgeAction,
  type PeeringAction,
  type PeeringRole,
  type PeeringState,
} from "../domain/lifecycle.js";
import { ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import {
  type Page,
  type PageRequest,
  rolesIn,
  type Tags,
  type VpcPeering,
} from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { loadPeeringIntent } from "../store/intent-snapshot.js";
import { transitionPeering } from "../store/peering-transitions.js";
import { removePeeringRoutes } from "../store/route-tables.js";
import { findPeering, findPeerings, setAllowDns } from "../store/vpc-peerings.js";
import { touchVpcs } from "../store/vpcs.js";
import { actorOf } from "./authentication.js";
import type { ServiceContext } from "./context.js";
import { lockPeeringWithVpcs, requirePeering } from "./peering-access.js";
import { peeringChange, settingsChange } from "./peering-changes.js";
import { settled } from "./peering-settlement.js";

export { acceptPeering } from "./accept-peering.js";
export { requestPeering } from "./request-peering.js";

export async function getPeering(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<VpcPeering> {
  const peering = requirePeering(ctx, caller, id, await findPeering(ctx.db, id));
  requirePermission(caller, "vpc_peering:read");
  return peering;
}

export async function listPeerings(
  ctx: ServiceContext,
  caller: Principal,
  filter: {
    state?: PeeringState | undefined;
    vpcId?: string | undefined;
    role?: PeeringRole | undefined;
    tags: Tags;
  },
  page: PageRequest,
): Promise<Page<VpcPeering>> {
  requirePermission(caller, "vpc_peering:read");
  return findPeerings(ctx.db, { ...filter, tenantId: caller.tenantId, now: ctx.clock() }, page);
}

/** What the switch is to do for a peering; undefined when it is not live. */
export async function peeringIntent(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<{ peering: VpcPeering; intent: PeeringIntent | undefined }> {
  const peering = await getPeering(ctx, caller, id);
  const intent = await loadPeeringIntent(ctx.db, peering);
  return { peering, intent: intent?.admitted === true ? intent : undefined };
}

/** Rejects a request. As of every action, the answer is of a settled peering: here it is so at once. */
export async function rejectPeering(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  waitMs: number,
): Promise<VpcPeering> {
  const rejected = await inTransaction(ctx.db, async (tx) => {
    const { peering } = await lockPeeringWithVpcs(ctx, tx, caller, id);
    requirePermission(caller, "vpc_peering:accept");
    const tenantId = judge("reject", peering, caller);
    return move(ctx, tx, caller, peering, "reject", {
      to: "rejected",
      statusMessage: `Rejected by ${tenantId}`,
    });
  });
  return settled(ctx, caller, rejected, waitMs);
}

/** Deletes a peering, and waits up to `waitMs` until the switch has confirmed that it is cut. */
export async function deletePeering(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  waitMs: number,
): Promise<VpcPeering> {
  const peering = await inTransaction(ctx.db, async (tx) => {
    const { peering: found } = await lockPeeringWithVpcs(ctx, tx, caller, id);
    requirePermission(caller, "vpc_peering:delete");
    const tenantId = judge("delete", found, caller);
    const pending = found.state === "pending-acceptance";
    return move(ctx, tx, caller, found, "delete", {
      to: pending ? "deleted" : "deleting",
      statusMessage: `${pending ? "Deleted" : "Deletion asked for"} by ${tenantId}`,
    });
  });
  ctx.waker.wake([peering.requester.vpcId, peering.accepter.vpcId]);
  return settled(ctx, caller, peering, waitMs);
}

/**
 * Sets the caller's own side, both when both are the caller's. Stored whatever the state. What is so
 * already is no change.
 */
export async function updatePeeringOptions(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  options: { allowDnsResolutionFromRemoteVpc: boolean },
): Promise<VpcPeering> {
  return inTransaction(ctx.db, async (tx) => {
    const { peering } = await lockPeeringWithVpcs(ctx, tx, caller, id);
    requirePermission(caller, "vpc_peering:update");
    const tenantId = ownTenant(caller);
    const roles = rolesIn(peering, tenantId);
    const { allowDnsResolutionFromRemoteVpc: allow } = options;
    const isSo = roles.every((role) => peering[role].allowDnsResolutionFromRemoteVpc === allow);
    if (isSo) return peering;
    const changed = await setAllowDns(tx, id, roles, allow);
    await recordChange(tx, settingsChange(actorOf(caller), peering, "update-options", tenantId));
    return changed;
  });
}

/** Lets the action pass or throws; answers the tenant that takes it. */
function judge(action: PeeringAction, peering: VpcPeering, caller: Principal): string {
  const tenantId = ownTenant(caller);
  const roles = rolesIn(peering, tenantId);
  const preferred: PeeringRole = action === "delete" ? "requester" : "accepter";
  const other: PeeringRole = action === "delete" ? "accepter" : "requester";
  judgeAction(action, peering.state, roles.includes(preferred) ? preferred : other);
  return tenantId;
}

async function move(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  peering: VpcPeering,
  action: PeeringAction,
  target: { to: PeeringState; statusMessage: string },
): Promise<VpcPeering> {
  const change = peeringChange(actorOf(caller), peering, action, target.to);
  const generation = await recordChange(tx, change);
  if (target.to === "deleting") {
    await removePeeringRoutes(tx, peering.id);
    await touchVpcs(tx, [peering.requester.vpcId, peering.accepter.vpcId], generation);
  }
  const moved = await transitionPeering(tx, peering, {
    ...target,
    at: ctx.clock(),
    generation,
    endedByTenantId: ownTenant(caller),
  });
  if (moved === null) throw new Error(`peering ${peering.id} changed under its lock`);
  return moved;
}

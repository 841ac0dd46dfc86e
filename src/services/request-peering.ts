import { type Cidr, findOverlap, formatCidr } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { isTerminal } from "../domain/lifecycle.js";
import { ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import type { Tags, Vpc, VpcPeering } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { lockTenant } from "../store/tenants.js";
import { findOpenRequest, insertPeering } from "../store/vpc-peerings.js";
import { lockVpcsOf } from "../store/vpcs.js";
import { actorOf } from "./authentication.js";
import type { ServiceContext } from "./context.js";
import { peeringChange } from "./peering-changes.js";
import { settled } from "./peering-settlement.js";
import { expirePeering } from "./peering-sweeps.js";
import { requireRoomForRequest } from "./request-limits.js";
import { requireVpc } from "./vpcs.js";

export interface PeeringInput {
  readonly requesterVpcId: string;
  readonly accepterVpcId: string;
  /** Absent: the caller's own tenant. */
  readonly accepterTenantId?: string | undefined;
  readonly autoRoutes?: boolean | undefined;
  readonly name?: string | undefined;
  readonly tags?: Tags | undefined;
}

/** What a request comes to: one that was made, or the open peering that is there instead. */
interface Asked {
  readonly peering: VpcPeering;
  readonly created: boolean;
}

/** The two VPCs of a request, as far as they are what it says they are. */
interface Ends {
  readonly requester: Vpc;
  readonly accepterTenantId: string;
  readonly accepter: Vpc | undefined;
}

/**
 * Asks for a peering. Within one tenant the caller is told at once what is wrong. Across tenants
 * nothing may be learned about the other side: a request that cannot succeed is answered like any
 * other and fails a moment later.
 *
 * One in the same direction that is there already is the answer, settled as far as `waitMs` allows.
 * One that is being deleted is waited for, and then it is asked anew.
 * @throws DomainError `VpcPeeringConnectionDeleting` when that takes longer
 */
export async function requestPeering(
  ctx: ServiceContext,
  caller: Principal,
  input: PeeringInput,
  waitMs = 0,
): Promise<Asked> {
  const tenantId = ownTenant(caller);
  requirePermission(caller, "vpc_peering:create");
  if (input.requesterVpcId === input.accepterVpcId) {
    const pointer = "/accepterVpcId";
    throw new DomainError("InvalidParameterValue", "a VPC cannot peer with itself", { pointer });
  }
  const deadline = performance.now() + waitMs;
  for (;;) {
    const asked = await inTransaction(ctx.db, (tx) => ask(ctx, tx, caller, tenantId, input));
    if (asked.created) return asked;
    const remainingMs = Math.max(0, deadline - performance.now());
    const found = await settled(ctx, caller, asked.peering, remainingMs);
    if (found.state === "deleting") throw beingDeleted(found);
    if (!isTerminal(found.state)) return { peering: found, created: false };
  }
}

async function ask(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  tenantId: string,
  input: PeeringInput,
): Promise<Asked> {
  await lockTenant(tx, tenantId);
  const ends = await lockEnds(tx, caller, tenantId, input);
  const same = await findSameRequest(ctx, tx, ends, input);
  if (same !== null) return { peering: same, created: false };
  const opposite = await findOppositeRequest(ctx, tx, ends, input.accepterVpcId);
  if (opposite !== null) return { peering: opposite, created: false };
  const doomed = isDoomed(ends, input);
  await requireRoomForRequest(ctx, tx, tenantId, ends.accepterTenantId);
  return { peering: await insertRequest(ctx, tx, caller, input, ends, doomed), created: true };
}

async function lockEnds(
  tx: Tx,
  caller: Principal,
  tenantId: string,
  input: PeeringInput,
): Promise<Ends> {
  const { requesterVpcId, accepterVpcId, accepterTenantId = tenantId } = input;
  const vpcs = await lockVpcsOf(tx, [
    { id: requesterVpcId, tenantId },
    { id: accepterVpcId, tenantId: accepterTenantId },
  ]);
  const own = vpcs.get(requesterVpcId) ?? null;
  const requester = requireVpc(caller, requesterVpcId, own, "/requesterVpcId");
  return { requester, accepterTenantId, accepter: vpcs.get(accepterVpcId) };
}

async function findSameRequest(
  ctx: ServiceContext,
  tx: Tx,
  ends: Ends,
  input: PeeringInput,
): Promise<VpcPeering | null> {
  const { requesterVpcId, accepterVpcId } = input;
  const found = await findOpenRequest(tx, requesterVpcId, accepterVpcId, ends.accepterTenantId);
  return unlessExpired(ctx, tx, found);
}

/** Ends a request whose time is up and that no sweep has come by yet; its VPCs are locked. */
async function unlessExpired(
  ctx: ServiceContext,
  tx: Tx,
  found: VpcPeering | null,
): Promise<VpcPeering | null> {
  const pending = found?.state === "pending-acceptance" && found.doomedAt === null;
  if (!pending || found.expiresAt > ctx.clock()) return found;
  await expirePeering(ctx, tx, found);
  return null;
}

/** @throws DomainError what is wrong, within one tenant */
function isDoomed(ends: Ends, input: PeeringInput): boolean {
  const { requester, accepter } = ends;
  const withinTenant = requester.tenantId === ends.accepterTenantId;
  const overlap = accepter && findOverlap(blocksOf(requester), blocksOf(accepter));
  if (withinTenant && accepter === undefined) throw unknownAccepter(input);
  if (withinTenant && accepter !== undefined && overlap !== undefined) {
    throw overlapping(requester, accepter, overlap);
  }
  return accepter === undefined || overlap !== undefined;
}

/**
 * The opposite request was sent to this caller, so naming it tells nothing new. Answered when it is
 * being deleted; one that overlaps by now is doomed itself and stands in nobody's way.
 * @throws DomainError `VpcPeeringConnectionAlreadyExists` while it is pending or in force
 */
async function findOppositeRequest(
  ctx: ServiceContext,
  tx: Tx,
  { requester, accepter }: Ends,
  accepterVpcId: string,
): Promise<VpcPeering | null> {
  // Looked for in any case: who cannot be asked is not to be told by what is left out.
  const found = await findOpenRequest(tx, accepterVpcId, requester.id, requester.tenantId);
  if (accepter === undefined) return null;
  if (findOverlap(blocksOf(requester), blocksOf(accepter)) !== undefined) return null;
  const opposite = await unlessExpired(ctx, tx, found);
  if (opposite === null || opposite.doomedAt !== null) return null;
  if (opposite.state === "deleting") return opposite;
  const detail = `these VPCs have the peering ${opposite.id}, asked for by ${accepter.id}`;
  const blockedBy = [opposite.id];
  throw new DomainError("VpcPeeringConnectionAlreadyExists", detail, {
    blockedBy,
  });
}

async function insertRequest(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  input: PeeringInput,
  ends: Ends,
  doomed: boolean,
): Promise<VpcPeering> {
  const { requester, accepterTenantId } = ends;
  const id = newId("vpcPeering");
  const now = ctx.clock();
  const doomedAt = doomed ? now : null;
  const sides = sidesFor(requester, accepterTenantId, input);
  const change = peeringChange(
    actorOf(caller),
    { id, state: null, doomedAt, ...sides },
    "request",
    "pending-acceptance",
  );
  return insertPeering(tx, {
    id,
    doomedAt,
    createdAt: now,
    expiresAt: new Date(now.getTime() + ctx.peeringExpirySeconds * 1000),
    generation: await recordChange(tx, change),
    statusMessage: `Pending acceptance by ${accepterTenantId}`,
    requesterTenantId: requester.tenantId,
    requesterVpcId: requester.id,
    requesterName: input.name ?? null,
    requesterTags: input.tags ?? {},
    requesterAutoRoutes: input.autoRoutes ?? true,
    requesterBlocks: blocksOf(requester),
    accepterTenantId,
    accepterVpcId: input.accepterVpcId,
    accepterBlocks: doomed || ends.accepter === undefined ? [] : blocksOf(ends.accepter),
  });
}

function sidesFor(requester: Vpc, accepterTenantId: string, input: PeeringInput) {
  return {
    requester: { tenantId: requester.tenantId, vpcId: requester.id },
    accepter: { tenantId: accepterTenantId, vpcId: input.accepterVpcId },
  };
}

export function blocksOf(vpc: Vpc): Cidr[] {
  return vpc.blocks.map(({ block }) => block);
}

export function overlapping(a: Vpc, b: Vpc, [ofA, ofB]: readonly [Cidr, Cidr]): DomainError {
  const detail = `${formatCidr(ofA)} of ${a.id} overlaps ${formatCidr(ofB)} of ${b.id}`;
  return new DomainError("OverlappingCidr", detail, {
    blockedBy: [a.id, b.id],
  });
}

function beingDeleted({ id }: VpcPeering): DomainError {
  const detail = `the peering ${id} of these VPCs is being deleted; ask again when it is deleted`;
  const context = { blockedBy: [id], retryAfterSeconds: 1 };
  return new DomainError("VpcPeeringConnectionDeleting", detail, context);
}

/** What is said of a tenant that was not named hangs on nothing but that. */
function unknownAccepter({ accepterVpcId, accepterTenantId }: PeeringInput): DomainError {
  const hint = "; name the tenant of a VPC that is not your own in accepterTenantId";
  const detail = `you have no VPC ${accepterVpcId}${accepterTenantId === undefined ? hint : ""}`;
  return new DomainError("InvalidVpcID.NotFound", detail, { pointer: "/accepterVpcId" });
}

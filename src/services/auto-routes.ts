import { type Cidr, formatCidr } from "../domain/cidr.js";
import { type AutomaticRoute, type Contest, findContest } from "../domain/contested-routes.js";
import { DomainError } from "../domain/errors.js";
import { requireQuota } from "../domain/quotas.js";
import type { Vpc, VpcPeering } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { type MainTable, readMainTable } from "../store/route-rivals.js";
import { insertRoutes } from "../store/route-tables.js";
import type { ServiceContext } from "./context.js";
import { blocksOf } from "./request-peering.js";
import type { Withheld } from "./withheld-routes.js";

interface Acceptance {
  readonly peering: VpcPeering;
  readonly requester: Vpc;
  readonly accepter: Vpc;
  /** Which side wished its routes to follow the peering. */
  readonly wishes: { readonly requester: boolean; readonly accepter: boolean };
}

/** Routes that a peering brings to the main table of one of its VPCs. */
export interface Offer {
  readonly vpc: Pick<Vpc, "id" | "tenantId">;
  readonly vpcPeeringId: string;
  readonly destinations: readonly Cidr[];
  /** Whether they lead to what a peer has added, and not to what it had when it was accepted. */
  readonly addedLater: boolean;
}

/**
 * Adds the routes that come with a peering to the main tables of the sides that wished it. Who
 * accepts is told what is in the way and decides; what is in the requester's way is withheld, or
 * who accepts would learn where the requester routes.
 * @returns what was withheld
 * @throws DomainError `RouteAlreadyExists`, `RouteLimitExceeded`, for the accepter's own table
 */
export async function addAutoRoutes(
  ctx: ServiceContext,
  tx: Tx,
  { peering, requester, accepter, wishes }: Acceptance,
): Promise<Withheld[]> {
  const offer = { vpcPeeringId: peering.id, addedLater: false };
  if (wishes.accepter) {
    await addOwnRoutes(ctx, tx, { ...offer, vpc: accepter, destinations: blocksOf(requester) });
  }
  if (!wishes.requester) return [];
  return placeRoutes(ctx, tx, { ...offer, vpc: requester, destinations: blocksOf(accepter) });
}

/** Adds all of them, or refuses. */
async function addOwnRoutes(ctx: ServiceContext, tx: Tx, offer: Offer): Promise<void> {
  const { vpc, vpcPeeringId, destinations } = offer;
  const table = await readMainTable(tx, vpc.id, destinations);
  for (const route of candidates(offer)) {
    const contest = findContest(route, table);
    if (contest !== undefined) throw routeExists(table, route.destination, contest);
  }
  requireQuota(ctx.quotas, "routesPerTable", table.present, destinations.length);
  await insertMainRoutes(tx, table, vpcPeeringId, destinations);
}

/**
 * Adds those that take nobody else's traffic, as far as the table has room.
 * @returns the others; not the ones that stand in the table by hand, as they would have come
 */
export async function placeRoutes(ctx: ServiceContext, tx: Tx, offer: Offer): Promise<Withheld[]> {
  const { vpc, vpcPeeringId } = offer;
  const table = await readMainTable(tx, vpc.id, offer.destinations);
  const { routeTableId, present } = table;
  const judged = candidates(offer)
    .filter((route) => !isThere(table, route))
    .map((route) => ({ ...route, contest: findContest(route, table) }));
  const free = judged.filter(({ contest }) => contest === undefined);
  const room = Math.max(0, ctx.quotas.routesPerTable - present);
  const added = free.slice(0, room).map(({ destination }) => destination);
  await insertMainRoutes(tx, table, vpcPeeringId, added);
  return judged
    .filter(({ destination }) => !added.includes(destination))
    .map(({ destination, contest }) => ({
      tenantId: vpc.tenantId,
      routeTableId,
      destination,
      vpcPeeringId,
      contestedBy: contest?.vpcPeeringId ?? null,
    }));
}

function candidates({ destinations, vpcPeeringId, addedLater }: Offer): AutomaticRoute[] {
  return destinations.map((destination) => ({ destination, vpcPeeringId, addedLater }));
}

function isThere({ routes }: MainTable, { destination, vpcPeeringId }: AutomaticRoute): boolean {
  const text = formatCidr(destination);
  return routes.some(
    (route) => route.vpcPeeringId === vpcPeeringId && formatCidr(route.destination) === text,
  );
}

async function insertMainRoutes(
  tx: Tx,
  { routeTableId }: MainTable,
  vpcPeeringId: string,
  destinations: readonly Cidr[],
): Promise<void> {
  if (destinations.length === 0) return;
  const route = { routeTableId, vpcPeeringId, origin: "peering" } as const;
  await insertRoutes(
    tx,
    destinations.map((destination) => ({ ...route, destination })),
  );
}

/** What is in the way is named by the id of the accepter's own table, or of a peering of its VPC. */
function routeExists({ routeTableId }: MainTable, wanted: Cidr, contest: Contest): DomainError {
  const detail = `${obstacleTo(wanted, contest, routeTableId)}; accept with autoRoutes: false and add routes yourself`;
  const blockedBy = [contest.by === "peer" ? contest.vpcPeeringId : routeTableId];
  return new DomainError("RouteAlreadyExists", detail, { blockedBy });
}

function obstacleTo(wanted: Cidr, contest: Contest, routeTableId: string): string {
  const what = formatCidr(wanted);
  if (contest.by === "peer") return `the peer in ${contest.vpcPeeringId} has addresses of ${what}`;
  const there = formatCidr(contest.destination);
  const has = `route table ${routeTableId} has a route to ${there} already`;
  return there === what ? has : `${has}, which ${what} overlaps`;
}

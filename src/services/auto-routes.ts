import { type Cidr, formatCidr } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import type { PeeringRole } from "../domain/lifecycle.js";
import { requireQuota } from "../domain/quotas.js";
import type { Vpc, VpcPeering } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { findOtherDestinations, insertMainRoutes } from "../store/route-tables.js";
import type { ServiceContext } from "./context.js";
import { blocksOf } from "./request-peering.js";

interface Acceptance {
  readonly peering: VpcPeering;
  readonly requester: Vpc;
  readonly accepter: Vpc;
  /** Which side wished its routes to follow the peering. */
  readonly wishes: { readonly requester: boolean; readonly accepter: boolean };
  /** The tenant that accepts. */
  readonly tenantId: string;
}

/**
 * Adds the routes that come with a peering to the main tables of the sides that wished it.
 * @throws DomainError `RouteAlreadyExists`, `RouteLimitExceeded`
 */
export async function addAutoRoutes(
  ctx: ServiceContext,
  tx: Tx,
  acceptance: Acceptance,
): Promise<void> {
  for (const role of ["accepter", "requester"] as const) {
    if (acceptance.wishes[role]) await addRoutes(ctx, tx, acceptance, role);
  }
}

async function addRoutes(
  ctx: ServiceContext,
  tx: Tx,
  acceptance: Acceptance,
  role: PeeringRole,
): Promise<void> {
  const { peering, requester, accepter, tenantId } = acceptance;
  const [own, peer] = role === "requester" ? [requester, accepter] : [accepter, requester];
  const destinations = blocksOf(peer);
  const inserted = await insertMainRoutes(tx, own.id, peering.id, destinations);
  const { routeTableId, present, added } = inserted;
  if (added < destinations.length) {
    if (own.tenantId !== tenantId) throw unseenRouteExists();
    throw routeExists(await findTaken(tx, peering.id, routeTableId, destinations), role);
  }
  requireQuota(ctx.quotas, "routesPerTable", present, added);
}

async function findTaken(
  tx: Tx,
  vpcPeeringId: string,
  routeTableId: string,
  destinations: readonly Cidr[],
): Promise<TakenDestination> {
  const taken = await findOtherDestinations(tx, vpcPeeringId, routeTableId, destinations);
  return { routeTableId, destinations: taken.map(formatCidr) };
}

interface TakenDestination {
  readonly routeTableId: string;
  readonly destinations: readonly string[];
}

/** What the requester wished when it asked, only asking again changes. */
const REMEDIES: Record<PeeringRole, string> = {
  accepter: "accept with autoRoutes: false and add routes yourself",
  requester: "remove it, or ask for the peering again with autoRoutes: false",
};

function routeExists(taken: TakenDestination, role: PeeringRole): DomainError {
  const { routeTableId, destinations } = taken;
  const detail = `route table ${routeTableId} has a route to ${destinations.join(", ")} already; ${REMEDIES[role]}`;
  return new DomainError("RouteAlreadyExists", detail, { blockedBy: [routeTableId] });
}

/** How the other side routes is its own business; only it can do something about it. */
function unseenRouteExists(): DomainError {
  const detail =
    "a route of the requester is in the way; it has to ask again with autoRoutes: false";
  return new DomainError("RouteAlreadyExists", detail);
}

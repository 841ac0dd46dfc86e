import { type Cidr, cidr, formatCidr } from "../domain/cidr.js";
import type { Page, PageRequest, Route, RouteTable } from "../domain/resources.js";
import type { Prisma } from "../generated/prisma/client.js";
import { inChunks } from "./chunks.js";
import type { Tx } from "./database/transaction.js";
import { NOTHING, ownsParents } from "./list-parents.js";
import { pageArguments, toPage } from "./page.js";
import { storedBlock } from "./stored-addresses.js";
import { inVpcOf } from "./visibility.js";

const contents = {
  vpc: { select: { tenantId: true, generation: true, blocks: { orderBy: { block: "asc" } } } },
  routes: { orderBy: { destination: "asc" } },
  withheld: { orderBy: [{ destination: "asc" }, { createdAt: "asc" }, { vpcPeeringId: "asc" }] },
  subnets: { select: { id: true }, orderBy: { number: "asc" } },
} satisfies Prisma.RouteTableInclude;

type RouteTableRow = Prisma.RouteTableGetPayload<{ include: typeof contents }>;

export interface NewRouteTable {
  readonly id: string;
  readonly vpcId: string;
  readonly main: boolean;
  readonly generation: number;
}

export async function insertRouteTable(tx: Tx, table: NewRouteTable): Promise<RouteTable> {
  return toRouteTable(tx, await tx.routeTable.create({ data: { ...table }, include: contents }));
}

/** @param visibleTo as `ownedBy` says */
export async function findRouteTable(
  client: Tx,
  id: string,
  visibleTo: string | null,
): Promise<RouteTable | null> {
  const where = { id, ...inVpcOf(visibleTo) };
  const row = await client.routeTable.findUnique({ where, include: contents });
  return row && toRouteTable(client, row);
}

export interface RouteTableFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly vpcId?: string | undefined;
}

export async function findRouteTables(
  client: Tx,
  filter: RouteTableFilter,
  page: PageRequest,
): Promise<Page<RouteTable>> {
  if (!(await ownsParents(client, filter))) return NOTHING;
  const rows = await client.routeTable.findMany({
    where: {
      number: { gt: page.after },
      ...(filter.tenantId !== null && { vpc: { tenantId: filter.tenantId } }),
      ...(filter.vpcId !== undefined && { vpcId: filter.vpcId }),
    },
    include: contents,
    ...pageArguments(page),
  });
  const active = await activePeerings(client, rows);
  return toPage(
    rows.map((row) => assemble(row, active)),
    page.limit,
  );
}

export async function countRouteTables(client: Tx, vpcId: string): Promise<number> {
  return client.routeTable.count({ where: { vpcId } });
}

export async function removeRouteTable(tx: Tx, id: string): Promise<void> {
  await tx.routeTable.delete({ where: { id } });
}

/** Associates a subnet; null returns it to the main table. */
export async function associateSubnet(
  tx: Tx,
  subnetId: string,
  routeTableId: string | null,
): Promise<void> {
  await tx.subnet.update({ where: { id: subnetId }, data: { routeTableId } });
}

export interface NewRoute {
  readonly routeTableId: string;
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
  readonly origin: Route["origin"];
}

export async function insertRoutes(tx: Tx, routes: readonly NewRoute[]): Promise<void> {
  await inChunks(routes, async (some) => {
    const data = some.map((route) => ({ ...route, destination: formatCidr(route.destination) }));
    await tx.route.createMany({ data });
    return [];
  });
}

/** A route of any table of the VPC whose destination is this block or lies inside it. */
export async function findRouteInside(
  client: Tx,
  vpcId: string,
  block: Cidr,
): Promise<{ routeTableId: string; destination: string } | undefined> {
  const rows = await client.$queryRaw<Array<{ routeTableId: string; destination: string }>>`
    SELECT r."route_table_id" AS "routeTableId", r."destination"::text AS "destination"
    FROM "route" r JOIN "route_table" t ON t."id" = r."route_table_id"
    WHERE t."vpc_id" = ${vpcId} AND r."destination" <<= ${formatCidr(block)}::inet LIMIT 1`;
  return rows[0];
}

export async function removeRoute(tx: Tx, routeTableId: string, destination: Cidr): Promise<void> {
  await tx.route.delete({ where: routeKey(routeTableId, destination) });
}

/** Lets a route lead to another peering. */
export async function retargetRoute(
  tx: Tx,
  routeTableId: string,
  destination: Cidr,
  vpcPeeringId: string,
): Promise<void> {
  const where = routeKey(routeTableId, destination);
  await tx.route.update({ where, data: { vpcPeeringId } });
}

function routeKey(routeTableId: string, destination: Cidr) {
  return { routeTableId_destination: { routeTableId, destination: formatCidr(destination) } };
}

/**
 * Removes the routes that came with a peering, and those that were withheld; with `destination`,
 * only those to that block.
 */
export async function removePeeringRoutes(
  tx: Tx,
  vpcPeeringId: string,
  destination?: Cidr,
): Promise<void> {
  const where = {
    vpcPeeringId,
    ...(destination !== undefined && { destination: formatCidr(destination) }),
  };
  await tx.route.deleteMany({ where: { ...where, origin: "peering" } });
  await tx.withheldRoute.deleteMany({ where });
}

async function toRouteTable(client: Tx, row: RouteTableRow): Promise<RouteTable> {
  return assemble(row, await activePeerings(client, [row]));
}

async function activePeerings(
  client: Tx,
  tables: readonly RouteTableRow[],
): Promise<ReadonlySet<string>> {
  const ids = [...new Set(tables.flatMap(({ routes }) => routes.map((r) => r.vpcPeeringId)))];
  const select = { id: true };
  const rows = await inChunks(ids, (some) =>
    client.vpcPeering.findMany({ where: { id: { in: some }, state: "active" }, select }),
  );
  return new Set(rows.map(({ id }) => id));
}

function assemble(row: RouteTableRow, active: ReadonlySet<string>): RouteTable {
  const { vpc, routes, withheld, subnets, ...rest } = row;
  return {
    ...rest,
    tenantId: vpc.tenantId,
    vpcBlocks: vpc.blocks.map(({ block }) => cidr(block)),
    routes: routes.map(({ destination, vpcPeeringId, origin }) => ({
      destination: storedBlock(destination),
      vpcPeeringId,
      origin: origin === "peering" ? "peering" : "user",
      active: active.has(vpcPeeringId),
    })),
    withheldRoutes: withheld.map(({ destination, vpcPeeringId, contestedBy, createdAt }) => ({
      destination: storedBlock(destination),
      vpcPeeringId,
      contestedBy,
      withheldAt: createdAt,
    })),
    associations: subnets.map(({ id }) => id),
    generation: Number(vpc.generation),
  };
}

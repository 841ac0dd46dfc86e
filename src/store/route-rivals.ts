import { type Cidr, cidr, formatCidr } from "../domain/cidr.js";
import type { RivalPeer, RivalRoute, Rivals } from "../domain/contested-routes.js";
import type { Tx } from "./database/transaction.js";
import { storedBlock } from "./stored-addresses.js";

/** The main table of a VPC, and what could be in the way of automatic routes to it. */
export interface MainTable extends Rivals {
  readonly routeTableId: string;
  /** How many routes it has. */
  readonly present: number;
}

interface Row {
  readonly routeTableId: string;
  readonly present: number;
  readonly routes: string;
  readonly peers: string;
}

/**
 * Reads the main table of a VPC, and of its routes and its live peers' blocks those that overlap one
 * of these destinations. To be called under the lock on the VPC, which who changes any of this holds.
 */
export async function readMainTable(
  tx: Tx,
  vpcId: string,
  destinations: readonly Cidr[],
): Promise<MainTable> {
  const wanted = destinations.map(formatCidr);
  const [row] = await tx.$queryRaw<Row[]>`
    WITH main AS (
      SELECT "id" FROM "route_table" WHERE "vpc_id" = ${vpcId} AND "main"
    ), peer AS (
      SELECT "id", "number", "accepter_vpc_id" AS "vpc_id" FROM "vpc_peering"
      WHERE "requester_vpc_id" = ${vpcId} AND "state" IN ('provisioning', 'active', 'deleting')
      UNION ALL
      SELECT "id", "number", "requester_vpc_id" FROM "vpc_peering"
      WHERE "accepter_vpc_id" = ${vpcId} AND "state" IN ('provisioning', 'active', 'deleting')
    )
    SELECT main."id" AS "routeTableId",
      (SELECT count(*) FROM "route" r WHERE r."route_table_id" = main."id")::int AS "present",
      to_json(ARRAY(SELECT json_build_array(r."destination", r."vpc_peering_id")
        FROM "route" r
        WHERE r."route_table_id" = main."id" AND r."destination" && ANY(${wanted}::text[]::inet[])
        ORDER BY r."destination"))::text AS "routes",
      to_json(ARRAY(SELECT json_build_array(peer."id", b."block")
        FROM peer JOIN "vpc_cidr_block" b ON b."vpc_id" = peer."vpc_id"
        WHERE b."block" && ANY(${wanted}::text[]::inet[])
        ORDER BY peer."number", b."block"))::text AS "peers"
    FROM main`;
  if (row === undefined) throw new Error(`VPC ${vpcId} has no main route table`);
  const { routeTableId, present } = row;
  return { routeTableId, present, routes: toRoutes(row.routes), peers: toPeers(row.peers) };
}

function toRoutes(text: string): RivalRoute[] {
  const rows: Array<[string, string]> = JSON.parse(text);
  return rows.map(([destination, vpcPeeringId]) => {
    return { destination: storedBlock(destination), vpcPeeringId };
  });
}

function toPeers(text: string): RivalPeer[] {
  const rows: Array<[string, string]> = JSON.parse(text);
  return rows.map(([vpcPeeringId, block]) => ({ vpcPeeringId, blocks: [cidr(block)] }));
}

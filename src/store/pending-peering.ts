import { type Cidr, formatCidr, formatIp, type Ip } from "../domain/cidr.js";
import type { Tx } from "./database/transaction.js";

/** The request that a route leads to, while it waits to be accepted. */
export async function findRequestRoutedTo(
  client: Tx,
  routeTableId: string,
  destination: Cidr,
): Promise<string | undefined> {
  const rows = await client.$queryRaw<Array<{ id: string }>>`
    SELECT p."id" FROM "route" r JOIN "vpc_peering" p ON p."id" = r."vpc_peering_id"
    WHERE r."route_table_id" = ${routeTableId} AND r."destination" = ${formatCidr(destination)}::inet
      AND p."state" = 'pending-acceptance'`;
  return rows[0]?.id;
}

export interface WantedRequest {
  readonly vpcId: string;
  /** In a block of the other side. */
  readonly to: Ip;
  /** The other side; undefined: whoever has the address. */
  readonly otherVpcId: string | undefined;
  /** Whether the asker knows every VPC's blocks, as the operator does. */
  readonly knowsAll: boolean;
}

/**
 * A request from or to a VPC that waits to be accepted, with a VPC that has an address. A requester
 * does not know the blocks of a stranger's VPC: requests to those are found for the operator alone.
 */
export async function findRequestFor(
  client: Tx,
  { vpcId, to, otherVpcId, knowsAll }: WantedRequest,
): Promise<string | undefined> {
  const other = otherVpcId ?? null;
  const rows = await client.$queryRaw<Array<{ id: string }>>`
    SELECT p."id" FROM (
      SELECT "id", "number", "requester_vpc_id" AS "other" FROM "vpc_peering"
      WHERE "accepter_vpc_id" = ${vpcId} AND "state" = 'pending-acceptance' AND "doomed_at" IS NULL
      UNION ALL
      SELECT "id", "number", "accepter_vpc_id" FROM "vpc_peering"
      WHERE "requester_vpc_id" = ${vpcId} AND "state" = 'pending-acceptance' AND "doomed_at" IS NULL
        AND ("accepter_tenant_id" = "requester_tenant_id" OR ${knowsAll}::boolean)
    ) p
    WHERE (${other}::text IS NULL OR p."other" = ${other}::text) AND EXISTS (
      SELECT 1 FROM "vpc_cidr_block" b
      WHERE b."vpc_id" = p."other" AND b."block" >>= ${formatIp(to)}::inet)
    ORDER BY p."number" LIMIT 1`;
  return rows[0]?.id;
}

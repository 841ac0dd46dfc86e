import type { VpcPeering } from "../domain/resources.js";
import type { Tx } from "./database/transaction.js";
import { toPeering } from "./vpc-peerings.js";

/** A part of what is due, in the order of numbers. */
export interface Part {
  /** The number of the last one of the part before. */
  readonly after: number;
  readonly size: number;
}

/** Requests that cannot succeed and are to fail by now. */
export async function findDoomedPeerings(
  client: Tx,
  now: Date,
  { after, size }: Part,
): Promise<VpcPeering[]> {
  const rows = await client.vpcPeering.findMany({
    where: { state: "pending-acceptance", doomedAt: { lte: now }, number: { gt: after } },
    orderBy: { number: "asc" },
    take: size,
  });
  return rows.map(toPeering);
}

/** Pending requests whose time is up. */
export async function findExpiredPeerings(
  client: Tx,
  now: Date,
  { after, size }: Part,
): Promise<VpcPeering[]> {
  const rows = await client.vpcPeering.findMany({
    where: {
      state: "pending-acceptance",
      doomedAt: null,
      expiresAt: { lte: now },
      number: { gt: after },
    },
    orderBy: { number: "asc" },
    take: size,
  });
  return rows.map(toPeering);
}

/** Peerings that neither side sees any more. */
export async function findHiddenPeerings(
  client: Tx,
  now: Date,
  { after, size }: Part,
): Promise<Array<Pick<VpcPeering, "id" | "number">>> {
  return client.$queryRaw`
    SELECT "id", "number" FROM "vpc_peering"
    WHERE GREATEST("requester_hidden_at", "accepter_hidden_at") <= ${now}::timestamptz
      AND "requester_hidden_at" IS NOT NULL AND "accepter_hidden_at" IS NOT NULL
      AND "number" > ${after}
    ORDER BY "number" LIMIT ${size}`;
}

/** Rows that somebody holds are left for the next time. */
export async function removePeerings(client: Tx, ids: readonly string[]): Promise<void> {
  await client.$executeRaw`
    DELETE FROM "vpc_peering" WHERE "id" IN (
      SELECT "id" FROM "vpc_peering" WHERE "id" = ANY(${[...ids]}::text[])
      FOR UPDATE SKIP LOCKED)`;
}

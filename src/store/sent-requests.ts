import type { Tx } from "./database/transaction.js";

/** Requests of one tenant to another. */
export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly since: Date;
}

/**
 * When the `n`th latest of these requests was sent; undefined when there are fewer. Whatever becomes
 * of a request, it stays stored for longer than it counts.
 */
export async function findNthLatestRequest(
  client: Tx,
  { from, to, since }: Sent,
  n: number,
): Promise<Date | undefined> {
  const row = await client.vpcPeering.findFirst({
    where: { requesterTenantId: from, accepterTenantId: to, createdAt: { gt: since } },
    orderBy: { createdAt: "desc" },
    skip: n - 1,
    select: { createdAt: true },
  });
  return row?.createdAt;
}

/** Requests that a tenant has sent and nobody has answered, doomed ones included. */
export async function countPendingRequests(client: Tx, tenantId: string): Promise<number> {
  return client.vpcPeering.count({
    where: { requesterTenantId: tenantId, state: "pending-acceptance" },
  });
}

import { quotaExceeded, REQUESTS_COUNTED_MS, requireQuota } from "../domain/quotas.js";
import type { Tx } from "../store/database/transaction.js";
import { countPendingRequests, findNthLatestRequest } from "../store/sent-requests.js";
import type { ServiceContext } from "./context.js";

/**
 * Whether a tenant, locked by the caller, may send one more request to another. What has become of
 * the earlier ones, and whether there is such a tenant, makes no difference.
 * @throws DomainError `PendingVpcPeeringConnectionLimitExceeded`
 */
export async function requireRoomForRequest(
  ctx: ServiceContext,
  tx: Tx,
  from: string,
  to: string,
): Promise<void> {
  const pending = await countPendingRequests(tx, from);
  requireQuota(ctx.quotas, "pendingRequestsPerTenant", pending);
  if (from !== to) await requireFewRequests(ctx, tx, from, to);
}

/** Nobody's list and events are to be flooded by others. */
async function requireFewRequests(
  { quotas, clock }: ServiceContext,
  tx: Tx,
  from: string,
  to: string,
): Promise<void> {
  const now = clock().getTime();
  const since = new Date(now - REQUESTS_COUNTED_MS);
  const sent = { from, to, since };
  const last = await findNthLatestRequest(tx, sent, quotas.requestsPerHourToTenant);
  if (last === undefined) return;
  const retryAfterSeconds = Math.max(1, Math.ceil((last.getTime() - since.getTime()) / 1000));
  throw quotaExceeded(quotas, "requestsPerHourToTenant", { retryAfterSeconds });
}

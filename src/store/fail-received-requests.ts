import { SYSTEM } from "../domain/resources.js";
import { retentionOf } from "../domain/retention.js";
import type { Tx } from "./database/transaction.js";

/** Why, in words for the requesters. */
export interface FailedRequests {
  readonly statusMessage: string;
  readonly at: Date;
}

/**
 * Ends every pending request to a VPC that is going, each under a generation of its own and with its
 * event, in one statement: strangers decide how many there are, and all writers wait meanwhile.
 * Doomed ones never concerned the VPC, and fail in their own time. The rows are locked already.
 */
export async function failReceivedRequests(
  tx: Tx,
  vpcId: string,
  { statusMessage, at }: FailedRequests,
): Promise<void> {
  const { requesterMs, accepterMs } = retentionOf("failed", { requester: false, accepter: false });
  const requesterHiddenAt = new Date(at.getTime() + requesterMs);
  const accepterHiddenAt = new Date(at.getTime() + accepterMs);
  await tx.$executeRaw`
    WITH due AS (
      SELECT "id", "requester_tenant_id" AS "from", "accepter_tenant_id" AS "to",
        row_number() OVER (ORDER BY "number") AS "place", count(*) OVER () AS "count"
      FROM "vpc_peering"
      WHERE "accepter_vpc_id" = ${vpcId} AND "state" = 'pending-acceptance' AND "doomed_at" IS NULL),
    next AS (
      UPDATE "generation" SET "value" = "value" + (SELECT count(*) FROM due)
      WHERE EXISTS (SELECT 1 FROM due) RETURNING "value"),
    numbered AS (
      SELECT due.*, next."value" - due."count" + due."place" AS "generation" FROM due, next),
    told AS (
      INSERT INTO "event" ("id", "actor_kind", "resource_type", "resource_id", "action", "before",
        "after", "tenant_id", "other_tenant_id")
      SELECT "generation", ${SYSTEM.kind}::text, 'vpc-peering', "id", 'fail', 'pending-acceptance',
        'failed', "from", NULLIF("to", "from")
      FROM numbered)
    UPDATE "vpc_peering" SET "state" = 'failed', "status_message" = ${statusMessage}::text,
      "generation" = numbered."generation", "ended_at" = ${at}::timestamptz,
      "requester_hidden_at" = ${requesterHiddenAt}::timestamptz,
      "accepter_hidden_at" = ${accepterHiddenAt}::timestamptz
    FROM numbered WHERE "vpc_peering"."id" = numbered."id"`;
}

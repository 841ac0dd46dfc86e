-- CreateIndex
CREATE INDEX "vpc_peering_sent" ON "vpc_peering"("requester_tenant_id", "accepter_tenant_id", "created_at");

-- Requests that their senders have withdrawn leave the lists of their receivers, earlier ones too.
-- What was withdrawn is told by its events.
UPDATE "vpc_peering" p SET "accepter_hidden_at" = p."ended_at"
FROM "event" e
WHERE p."state" = 'deleted' AND p."activated_at" IS NULL
  AND p."requester_tenant_id" <> p."accepter_tenant_id"
  AND e."resource_type" = 'vpc-peering' AND e."resource_id" = p."id"
  AND e."before" = 'pending-acceptance' AND e."after" = 'deleted';

-- An older release that was started on a newer database knew nothing of later tables, and left VPCs
-- and interfaces without what is in them. Each statement adds only what is missing.

-- A main route table for each VPC, with the routes of its live peerings.
WITH "made" AS (
  INSERT INTO "route_table" ("id", "vpc_id", "main", "generation")
  SELECT 'rtb-' || substr(md5(random()::text || v."id"), 1, 17), v."id", true, v."generation"
  FROM "vpc" v
  WHERE NOT EXISTS (SELECT FROM "route_table" t WHERE t."vpc_id" = v."id" AND t."main")
  ORDER BY v."number"
  RETURNING "id", "vpc_id"
)
INSERT INTO "route" ("route_table_id", "destination", "vpc_peering_id", "origin")
SELECT t."id", b."block", p."id", 'peering'
FROM "made" t
JOIN "vpc_peering" p ON p."state" IN ('provisioning', 'active') AND (
  (p."requester_vpc_id" = t."vpc_id" AND p."requester_auto_routes")
  OR (p."accepter_vpc_id" = t."vpc_id" AND p."accepter_auto_routes"))
JOIN "vpc_cidr_block" b ON b."vpc_id" =
  CASE WHEN p."requester_vpc_id" = t."vpc_id" THEN p."accepter_vpc_id" ELSE p."requester_vpc_id" END
ORDER BY p."number"
ON CONFLICT DO NOTHING;

-- The times at which peerings that have ended are listed no more.
UPDATE "vpc_peering" SET
  "requester_hidden_at" = COALESCE("requester_hidden_at", "ended_at" + CASE
    WHEN "state" = 'failed' THEN interval '2 hours'
    WHEN "state" = 'deleted' AND "ended_by_tenant_id" = "requester_tenant_id" THEN interval '2 hours'
    ELSE interval '2 days' END),
  "accepter_hidden_at" = COALESCE("accepter_hidden_at", "ended_at" + CASE
    WHEN "state" IN ('failed', 'rejected') THEN interval '2 hours'
    WHEN "state" = 'deleted' AND "ended_by_tenant_id" = "accepter_tenant_id" THEN interval '2 hours'
    ELSE interval '2 days' END)
WHERE "ended_at" IS NOT NULL AND ("requester_hidden_at" IS NULL OR "accepter_hidden_at" IS NULL);

-- A group that the owner has called "default" by hand takes the place of the one that is missing.
UPDATE "security_group" g SET "is_default" = true
WHERE g."name" = 'default'
  AND NOT EXISTS (SELECT FROM "security_group" d WHERE d."vpc_id" = g."vpc_id" AND d."is_default");

-- A default group for each VPC, which lets in what that release let in.
WITH "made" AS (
  INSERT INTO "security_group" ("id", "vpc_id", "name", "description", "is_default", "generation")
  SELECT 'sg-' || substr(md5(random()::text || v."id"), 1, 17), v."id", 'default', 'default VPC security group', true, v."generation"
  FROM "vpc" v
  WHERE NOT EXISTS (SELECT FROM "security_group" g WHERE g."vpc_id" = v."id" AND g."is_default")
  ORDER BY v."number"
  RETURNING "id", "vpc_id"
)
INSERT INTO "security_group_rule"
  ("id", "group_id", "direction", "protocol", "from_port", "to_port", "block", "peer_group_id", "peer_vpc_id", "description")
SELECT 'sgr-' || substr(md5(random()::text || g."id" || r."description" || r."direction"), 1, 17), g."id", r."direction", -1, -1, -1,
  r."block"::inet, CASE WHEN r."block" IS NULL THEN g."id" END, CASE WHEN r."block" IS NULL THEN g."vpc_id" END, r."description"
FROM "made" g
CROSS JOIN (VALUES
  ('ingress', NULL, ''),
  ('egress', '0.0.0.0/0', ''),
  ('ingress', '0.0.0.0/0', 'Kept from the time before security groups')
) AS r("direction", "block", "description");

-- An interface is in one group at least: without one it is cut off.
INSERT INTO "group_membership" ("network_interface_id", "group_id")
SELECT i."id", g."id"
FROM "network_interface" i
JOIN "security_group" g ON g."vpc_id" = i."vpc_id" AND g."is_default"
WHERE NOT EXISTS (SELECT FROM "group_membership" m WHERE m."network_interface_id" = i."id");

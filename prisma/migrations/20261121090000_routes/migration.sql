-- AlterTable
ALTER TABLE "subnet" ADD COLUMN     "route_table_id" TEXT;

-- AlterTable
ALTER TABLE "vpc_peering" ADD COLUMN     "accepter_hidden_at" TIMESTAMPTZ(3),
ADD COLUMN     "requester_hidden_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "route_table" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "vpc_id" TEXT NOT NULL,
    "main" BOOLEAN NOT NULL,
    "generation" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "route_table_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "route" (
    "route_table_id" TEXT NOT NULL,
    "destination" INET NOT NULL,
    "vpc_peering_id" TEXT NOT NULL,
    "origin" TEXT NOT NULL,

    CONSTRAINT "route_pkey" PRIMARY KEY ("route_table_id","destination")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "owner" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "claim" TEXT NOT NULL,
    "claimed_until" TIMESTAMPTZ(3) NOT NULL,
    "resource_type" TEXT,
    "resource_id" TEXT,
    "answer" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("owner","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "route_table_number_key" ON "route_table"("number");

-- CreateIndex
CREATE INDEX "route_table_vpc_id_number_idx" ON "route_table"("vpc_id", "number");

-- CreateIndex
CREATE INDEX "route_vpc_peering_id_idx" ON "route"("vpc_peering_id");

-- CreateIndex
CREATE INDEX "idempotency_key_created_at_idx" ON "idempotency_key"("created_at");

-- CreateIndex
CREATE INDEX "subnet_route_table_id_idx" ON "subnet"("route_table_id");

-- AddForeignKey
ALTER TABLE "subnet" ADD CONSTRAINT "subnet_route_table_id_fkey" FOREIGN KEY ("route_table_id") REFERENCES "route_table"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "route_table" ADD CONSTRAINT "route_table_vpc_id_fkey" FOREIGN KEY ("vpc_id") REFERENCES "vpc"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "route" ADD CONSTRAINT "route_route_table_id_fkey" FOREIGN KEY ("route_table_id") REFERENCES "route_table"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- What Prisma's schema language cannot say.

CREATE UNIQUE INDEX "route_table_one_main" ON "route_table" ("vpc_id") WHERE "main";

ALTER TABLE "route"
  ADD CONSTRAINT "route_canonical" CHECK ("destination" = network("destination")::inet),
  ADD CONSTRAINT "route_origin" CHECK ("origin" IN ('user', 'peering'));

-- The sweeps' questions: what expires, what nobody sees any more.
CREATE INDEX "vpc_peering_pending" ON "vpc_peering" ("expires_at")
  WHERE "state" = 'pending-acceptance';
CREATE INDEX "vpc_peering_pending_requester" ON "vpc_peering" ("requester_tenant_id")
  WHERE "state" = 'pending-acceptance';
CREATE INDEX "vpc_peering_hidden" ON "vpc_peering" (GREATEST("requester_hidden_at", "accepter_hidden_at"))
  WHERE "requester_hidden_at" IS NOT NULL AND "accepter_hidden_at" IS NOT NULL;

-- VPCs of before get the main table and the routes that they have had without being told.

INSERT INTO "route_table" ("id", "vpc_id", "main", "generation")
SELECT 'rtb-' || substr(md5(random()::text || "id"), 1, 17), "id", true, "generation" FROM "vpc" ORDER BY "number";

INSERT INTO "route" ("route_table_id", "destination", "vpc_peering_id", "origin")
SELECT t."id", b."block", p."id", 'peering'
FROM "vpc_peering" p
JOIN "route_table" t ON t."vpc_id" = p."requester_vpc_id"
JOIN "vpc_cidr_block" b ON b."vpc_id" = p."accepter_vpc_id"
WHERE p."state" IN ('provisioning', 'active') AND p."requester_auto_routes"
UNION ALL
SELECT t."id", b."block", p."id", 'peering'
FROM "vpc_peering" p
JOIN "route_table" t ON t."vpc_id" = p."accepter_vpc_id"
JOIN "vpc_cidr_block" b ON b."vpc_id" = p."requester_vpc_id"
WHERE p."state" IN ('provisioning', 'active') AND p."accepter_auto_routes";

-- Peerings that have ended stay listed for a while, longer for the side that did not end them.
UPDATE "vpc_peering" SET
  "requester_hidden_at" = "ended_at" + CASE
    WHEN "state" = 'failed' THEN interval '2 hours'
    WHEN "state" = 'deleted' AND "ended_by_tenant_id" = "requester_tenant_id" THEN interval '2 hours'
    ELSE interval '2 days' END,
  "accepter_hidden_at" = "ended_at" + CASE
    WHEN "state" IN ('failed', 'rejected') THEN interval '2 hours'
    WHEN "state" = 'deleted' AND "ended_by_tenant_id" = "accepter_tenant_id" THEN interval '2 hours'
    ELSE interval '2 days' END
WHERE "ended_at" IS NOT NULL;

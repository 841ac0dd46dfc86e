-- CreateTable
CREATE TABLE "security_group" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "vpc_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "tags" JSONB NOT NULL DEFAULT '{}',
    "generation" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "security_group_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "security_group_rule" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "group_id" TEXT NOT NULL,
    "direction" TEXT NOT NULL,
    "protocol" INTEGER NOT NULL,
    "from_port" INTEGER NOT NULL,
    "to_port" INTEGER NOT NULL,
    "block" INET,
    "peer_group_id" TEXT,
    "peer_vpc_id" TEXT,
    "description" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "security_group_rule_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "group_membership" (
    "network_interface_id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,

    CONSTRAINT "group_membership_pkey" PRIMARY KEY ("network_interface_id","group_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "security_group_number_key" ON "security_group"("number");

-- CreateIndex
CREATE INDEX "security_group_vpc_id_number_idx" ON "security_group"("vpc_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "security_group_name" ON "security_group"("vpc_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "security_group_rule_number_key" ON "security_group_rule"("number");

-- CreateIndex
CREATE INDEX "security_group_rule_group_id_number_idx" ON "security_group_rule"("group_id", "number");

-- CreateIndex
CREATE INDEX "security_group_rule_peer_group_id_idx" ON "security_group_rule"("peer_group_id");

-- CreateIndex
CREATE INDEX "group_membership_group_id_idx" ON "group_membership"("group_id");

-- AddForeignKey
ALTER TABLE "security_group" ADD CONSTRAINT "security_group_vpc_id_fkey" FOREIGN KEY ("vpc_id") REFERENCES "vpc"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "security_group_rule" ADD CONSTRAINT "security_group_rule_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "security_group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_membership" ADD CONSTRAINT "group_membership_network_interface_id_fkey" FOREIGN KEY ("network_interface_id") REFERENCES "network_interface"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_membership" ADD CONSTRAINT "group_membership_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "security_group"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema language cannot say.

CREATE UNIQUE INDEX "security_group_one_default" ON "security_group" ("vpc_id") WHERE "is_default";

CREATE UNIQUE INDEX "security_group_rule_once" ON "security_group_rule"
  ("group_id", "direction", "protocol", "from_port", "to_port", "block", "peer_group_id")
  NULLS NOT DISTINCT;

ALTER TABLE "security_group_rule"
  ADD CONSTRAINT "security_group_rule_canonical" CHECK ("block" = network("block")::inet),
  ADD CONSTRAINT "security_group_rule_direction" CHECK ("direction" IN ('ingress', 'egress')),
  ADD CONSTRAINT "security_group_rule_protocol" CHECK ("protocol" BETWEEN -1 AND 255),
  ADD CONSTRAINT "security_group_rule_ports" CHECK ("from_port" BETWEEN -1 AND 65535 AND "to_port" BETWEEN -1 AND 65535),
  ADD CONSTRAINT "security_group_rule_one_peer" CHECK (("block" IS NULL) <> ("peer_group_id" IS NULL)),
  ADD CONSTRAINT "security_group_rule_peer_vpc" CHECK (("peer_group_id" IS NULL) = ("peer_vpc_id" IS NULL));

-- VPCs of before get their default group, and everything in them is in it. It lets in what was let
-- in before there were groups, until its owner removes that rule.

INSERT INTO "security_group" ("id", "vpc_id", "name", "description", "is_default", "generation")
SELECT 'sg-' || substr(md5(random()::text || "id"), 1, 17), "id", 'default', 'default VPC security group', true, "generation"
FROM "vpc" ORDER BY "number";

INSERT INTO "security_group_rule"
  ("id", "group_id", "direction", "protocol", "from_port", "to_port", "block", "peer_group_id", "peer_vpc_id", "description")
SELECT 'sgr-' || substr(md5(random()::text || g."id" || r."description"), 1, 17), g."id", r."direction", -1, -1, -1,
  r."block"::inet, CASE WHEN r."block" IS NULL THEN g."id" END, CASE WHEN r."block" IS NULL THEN g."vpc_id" END, r."description"
FROM "security_group" g
CROSS JOIN (VALUES
  ('ingress', NULL, ''),
  ('egress', '0.0.0.0/0', ''),
  ('ingress', '0.0.0.0/0', 'Kept from the time before security groups')
) AS r("direction", "block", "description")
ORDER BY g."number";

INSERT INTO "group_membership" ("network_interface_id", "group_id")
SELECT i."id", g."id" FROM "network_interface" i JOIN "security_group" g ON g."vpc_id" = i."vpc_id";

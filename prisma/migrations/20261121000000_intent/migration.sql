CREATE EXTENSION IF NOT EXISTS btree_gist;

-- CreateTable
CREATE TABLE "installation" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "installation_id" TEXT NOT NULL,
    "mark" INTEGER NOT NULL,
    "key_check" BYTEA,
    "backend" TEXT,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("singleton")
);

-- CreateTable
CREATE TABLE "generation" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "value" BIGINT NOT NULL,

    CONSTRAINT "generation_pkey" PRIMARY KEY ("singleton")
);

-- CreateTable
CREATE TABLE "tenant" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "suspended" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "access_key" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "roles" TEXT[],
    "encrypted_secret" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "access_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vpc" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT,
    "tags" JSONB NOT NULL DEFAULT '{}',
    "generation" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "vpc_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vpc_cidr_block" (
    "vpc_id" TEXT NOT NULL,
    "block" INET NOT NULL,
    "primary" BOOLEAN NOT NULL,

    CONSTRAINT "vpc_cidr_block_pkey" PRIMARY KEY ("vpc_id","block")
);

-- CreateTable
CREATE TABLE "subnet" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "vpc_id" TEXT NOT NULL,
    "block" INET NOT NULL,
    "availability_zone" TEXT NOT NULL,
    "name" TEXT,
    "tags" JSONB NOT NULL DEFAULT '{}',
    "generation" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subnet_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "network_interface" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "vpc_id" TEXT NOT NULL,
    "subnet_id" TEXT NOT NULL,
    "private_ip" INET NOT NULL,
    "mac_address" TEXT NOT NULL,
    "name" TEXT,
    "tags" JSONB NOT NULL DEFAULT '{}',
    "generation" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "network_interface_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vpc_peering" (
    "id" TEXT NOT NULL,
    "number" SERIAL NOT NULL,
    "state" TEXT NOT NULL,
    "status_message" TEXT NOT NULL,
    "doomed_at" TIMESTAMPTZ(3),
    "generation" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "activated_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "ended_by_tenant_id" TEXT,
    "requester_tenant_id" TEXT NOT NULL,
    "requester_vpc_id" TEXT NOT NULL,
    "requester_name" TEXT,
    "requester_tags" JSONB NOT NULL DEFAULT '{}',
    "requester_auto_routes" BOOLEAN NOT NULL DEFAULT true,
    "requester_allow_dns" BOOLEAN NOT NULL DEFAULT false,
    "requester_blocks" TEXT[],
    "accepter_tenant_id" TEXT NOT NULL,
    "accepter_vpc_id" TEXT NOT NULL,
    "accepter_name" TEXT,
    "accepter_tags" JSONB NOT NULL DEFAULT '{}',
    "accepter_auto_routes" BOOLEAN NOT NULL DEFAULT true,
    "accepter_allow_dns" BOOLEAN NOT NULL DEFAULT false,
    "accepter_blocks" TEXT[],

    CONSTRAINT "vpc_peering_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "id" BIGINT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_tenant_id" TEXT,
    "actor_access_key_id" TEXT,
    "actor_kind" TEXT NOT NULL,
    "resource_type" TEXT NOT NULL,
    "resource_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "before" TEXT,
    "after" TEXT,
    "tenant_id" TEXT NOT NULL,
    "other_tenant_id" TEXT,

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "installation_installation_id_key" ON "installation"("installation_id");

-- CreateIndex
CREATE UNIQUE INDEX "tenant_number_key" ON "tenant"("number");

-- CreateIndex
CREATE UNIQUE INDEX "access_key_number_key" ON "access_key"("number");

-- CreateIndex
CREATE INDEX "access_key_tenant_id_number_idx" ON "access_key"("tenant_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "vpc_number_key" ON "vpc"("number");

-- CreateIndex
CREATE INDEX "vpc_tenant_id_number_idx" ON "vpc"("tenant_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "subnet_number_key" ON "subnet"("number");

-- CreateIndex
CREATE INDEX "subnet_vpc_id_number_idx" ON "subnet"("vpc_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "network_interface_number_key" ON "network_interface"("number");

-- CreateIndex
CREATE INDEX "network_interface_vpc_id_number_idx" ON "network_interface"("vpc_id", "number");

-- CreateIndex
CREATE INDEX "network_interface_subnet_id_idx" ON "network_interface"("subnet_id");

-- CreateIndex
CREATE UNIQUE INDEX "network_interface_private_ip" ON "network_interface"("vpc_id", "private_ip");

-- CreateIndex
CREATE UNIQUE INDEX "network_interface_mac_address" ON "network_interface"("vpc_id", "mac_address");

-- CreateIndex
CREATE UNIQUE INDEX "vpc_peering_number_key" ON "vpc_peering"("number");

-- CreateIndex
CREATE INDEX "vpc_peering_requester_tenant_id_number_idx" ON "vpc_peering"("requester_tenant_id", "number");

-- CreateIndex
CREATE INDEX "vpc_peering_accepter_tenant_id_number_idx" ON "vpc_peering"("accepter_tenant_id", "number");

-- CreateIndex
CREATE INDEX "vpc_peering_requester_vpc_id_number_idx" ON "vpc_peering"("requester_vpc_id", "number");

-- CreateIndex
CREATE INDEX "vpc_peering_accepter_vpc_id_number_idx" ON "vpc_peering"("accepter_vpc_id", "number");

-- CreateIndex
CREATE INDEX "event_tenant_id_id_idx" ON "event"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "event_other_tenant_id_id_idx" ON "event"("other_tenant_id", "id");

-- AddForeignKey
ALTER TABLE "access_key" ADD CONSTRAINT "access_key_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "vpc" ADD CONSTRAINT "vpc_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "vpc_cidr_block" ADD CONSTRAINT "vpc_cidr_block_vpc_id_fkey" FOREIGN KEY ("vpc_id") REFERENCES "vpc"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subnet" ADD CONSTRAINT "subnet_vpc_id_fkey" FOREIGN KEY ("vpc_id") REFERENCES "vpc"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "network_interface" ADD CONSTRAINT "network_interface_vpc_id_fkey" FOREIGN KEY ("vpc_id") REFERENCES "vpc"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "network_interface" ADD CONSTRAINT "network_interface_subnet_id_fkey" FOREIGN KEY ("subnet_id") REFERENCES "subnet"("id") ON DELETE RESTRICT ON UPDATE CASCADE;



-- What Prisma's schema language cannot say.

INSERT INTO "generation" ("value") VALUES (0);

ALTER TABLE "installation"
  ADD CONSTRAINT "installation_singleton" CHECK ("singleton"),
  ADD CONSTRAINT "installation_mark" CHECK ("mark" BETWEEN 1 AND 16777215),
  ADD CONSTRAINT "installation_backend" CHECK ("backend" IN ('ovs'));

ALTER TABLE "generation"
  ADD CONSTRAINT "generation_singleton" CHECK ("singleton");

ALTER TABLE "tenant"
  ADD CONSTRAINT "tenant_id_format" CHECK ("id" ~ '^[0-9]{12}$');

ALTER TABLE "vpc_cidr_block"
  ADD CONSTRAINT "vpc_cidr_block_canonical" CHECK ("block" = network("block")::inet),
  ADD CONSTRAINT "vpc_cidr_block_disjoint" EXCLUDE USING gist ("vpc_id" WITH =, "block" inet_ops WITH &&);

CREATE UNIQUE INDEX "vpc_cidr_block_one_primary" ON "vpc_cidr_block" ("vpc_id") WHERE "primary";

ALTER TABLE "subnet"
  ADD CONSTRAINT "subnet_canonical" CHECK ("block" = network("block")::inet),
  ADD CONSTRAINT "subnet_disjoint" EXCLUDE USING gist ("vpc_id" WITH =, "block" inet_ops WITH &&);

ALTER TABLE "vpc_peering"
  ADD CONSTRAINT "vpc_peering_state" CHECK ("state" IN (
    'pending-acceptance', 'provisioning', 'active', 'failed', 'rejected', 'expired', 'deleting', 'deleted')),
  ADD CONSTRAINT "vpc_peering_two_vpcs" CHECK ("requester_vpc_id" <> "accepter_vpc_id");

-- Two VPCs have at most one peering that is pending or live, whichever side asked for it.
CREATE UNIQUE INDEX "vpc_peering_one_open_per_pair" ON "vpc_peering"
  (LEAST("requester_vpc_id", "accepter_vpc_id"), GREATEST("requester_vpc_id", "accepter_vpc_id"))
  WHERE "doomed_at" IS NULL AND "state" IN ('pending-acceptance', 'provisioning', 'active', 'deleting');

-- The same for requests that cannot succeed, so that asking twice tells nothing.
CREATE UNIQUE INDEX "vpc_peering_one_doomed_per_pair" ON "vpc_peering"
  ("requester_vpc_id", "accepter_vpc_id", "accepter_tenant_id")
  WHERE "doomed_at" IS NOT NULL AND "state" = 'pending-acceptance';

-- The daemon's questions: what is live on this VPC, what still has to be settled.
CREATE INDEX "vpc_peering_live_requester" ON "vpc_peering" ("requester_vpc_id")
  WHERE "state" IN ('provisioning', 'active', 'deleting');
CREATE INDEX "vpc_peering_live_accepter" ON "vpc_peering" ("accepter_vpc_id")
  WHERE "state" IN ('provisioning', 'active', 'deleting');
CREATE INDEX "vpc_peering_doomed" ON "vpc_peering" ("doomed_at")
  WHERE "doomed_at" IS NOT NULL AND "state" = 'pending-acceptance';

-- CreateTable
CREATE TABLE "interface_address" (
    "network_interface_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "vpc_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "block" INET NOT NULL,
    "mac_address" TEXT,

    CONSTRAINT "interface_address_pkey" PRIMARY KEY ("network_interface_id","position")
);

-- CreateIndex
CREATE INDEX "interface_address_vpc_id_block_idx" ON "interface_address"("vpc_id", "block");

-- AddForeignKey
ALTER TABLE "interface_address" ADD CONSTRAINT "interface_address_network_interface_id_fkey" FOREIGN KEY ("network_interface_id") REFERENCES "network_interface"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema language cannot say.

CREATE UNIQUE INDEX "interface_address_secondary" ON "interface_address" ("vpc_id", "block")
  WHERE "kind" = 'secondary';

ALTER TABLE "interface_address"
  ADD CONSTRAINT "interface_address_canonical" CHECK ("block" = network("block")::inet),
  ADD CONSTRAINT "interface_address_kind" CHECK ("kind" IN ('secondary', 'pair')),
  ADD CONSTRAINT "interface_address_secondary_host" CHECK ("kind" = 'pair' OR
    ("mac_address" IS NULL AND masklen("block") = CASE family("block") WHEN 4 THEN 32 ELSE 128 END));

-- CreateTable
CREATE TABLE "withheld_route" (
    "route_table_id" TEXT NOT NULL,
    "destination" INET NOT NULL,
    "vpc_peering_id" TEXT NOT NULL,
    "contested_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "withheld_route_pkey" PRIMARY KEY ("route_table_id","destination","vpc_peering_id")
);

-- CreateIndex
CREATE INDEX "withheld_route_vpc_peering_id_idx" ON "withheld_route"("vpc_peering_id");

-- AddForeignKey
ALTER TABLE "withheld_route" ADD CONSTRAINT "withheld_route_route_table_id_fkey" FOREIGN KEY ("route_table_id") REFERENCES "route_table"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema language cannot say.

ALTER TABLE "withheld_route"
  ADD CONSTRAINT "withheld_route_canonical" CHECK ("destination" = network("destination")::inet);

-- Automatic routes that are there stay, contested or not: whoever has them may rely on them.

-- AlterTable: null for keys that were made, and not used since, under earlier releases.
ALTER TABLE "access_key" ADD COLUMN "name" TEXT, ADD COLUMN "last_used_at" TIMESTAMPTZ(3);

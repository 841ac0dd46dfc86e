-- The row of a deleted tenant stays, so that its id is never another tenant's.
ALTER TABLE "tenant" ADD COLUMN "deleted_at" TIMESTAMPTZ(3);

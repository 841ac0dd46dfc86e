-- What happens to a bridge is the platform's business: such an event belongs to no tenant.
ALTER TABLE "event" ALTER COLUMN "tenant_id" DROP NOT NULL;

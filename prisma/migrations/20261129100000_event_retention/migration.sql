-- Up to which event those that somebody could see have been removed. One row for each tenant that
-- lost one, and one for the operator, who sees all.
CREATE TABLE "event_removal" (
    "owner" TEXT NOT NULL,
    "last_id" BIGINT NOT NULL,

    CONSTRAINT "event_removal_pkey" PRIMARY KEY ("owner")
);

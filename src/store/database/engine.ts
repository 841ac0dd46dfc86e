import type { Prisma } from "../../generated/prisma/client.js";

/** What the storage needs of a logger; a pino logger is one. */
export interface StoreLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** A migrated database with the adapter through which Prisma speaks to it. */
export interface Engine {
  readonly kind: "embedded" | "postgres";
  /** How many calls may work with it at the same time; the daemon's own work comes on top. */
  readonly places: number;
  readonly adapter: NonNullable<Prisma.PrismaClientOptions["adapter"]>;
  /** Rejects when the database does not answer a trivial query. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

import { PrismaClient } from "../../generated/prisma/client.js";
import { openEmbedded } from "./embedded.js";
import type { Engine, StoreLog } from "./engine.js";
import { openPostgres } from "./postgres.js";

export type { StoreLog } from "./engine.js";

export interface OpenDatabaseOptions {
  /** A PostgreSQL URL; without one the embedded database in `<dataDir>/db` is used. */
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly log: StoreLog;
}

export interface Database {
  readonly client: PrismaClient;
  readonly kind: "embedded" | "postgres";
  /** How many calls may work with it at the same time. */
  readonly places: number;
  /** Rejects when the database does not answer a trivial query. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the database and brings its schema up to date. Take `lockDataDir` before. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir, log } = options;
  const engine =
    databaseUrl === undefined
      ? await openEmbedded(dataDir, log)
      : await openPostgres(databaseUrl, log);
  return databaseOn(engine);
}

function databaseOn({ kind, places, adapter, ping, close }: Engine): Database {
  const client = new PrismaClient({ adapter, errorFormat: "minimal" });
  return {
    client,
    kind,
    places,
    ping,
    close: async () => {
      await client.$disconnect();
      await close();
    },
  };
}

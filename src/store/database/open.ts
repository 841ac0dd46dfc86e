import { PrismaClient } from "../../generated/prisma/client.js";
import { type Admit, admitAny } from "./admit.js";
import { openEmbedded } from "./embedded.js";
import type { Engine, StoreLog } from "./engine.js";
import { openPostgres } from "./postgres.js";
import type { PostgresLimits } from "./postgres-pool.js";

export type { StoreLog } from "./engine.js";

export interface OpenDatabaseOptions {
  /** A PostgreSQL URL; without one the embedded database in `<dataDir>/db` is used. */
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly log: StoreLog;
  /** Told of every statement that Prisma makes, as it is sent. */
  readonly onStatement?: ((sql: string) => void) | undefined;
  /** How long PostgreSQL is waited for, when other than usual. */
  readonly limits?: PostgresLimits;
  /** Whether the database may be used; it is asked before anything is written. */
  readonly admit?: Admit;
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
  const { databaseUrl, dataDir, log, limits, admit = admitAny } = options;
  const engine =
    databaseUrl === undefined
      ? await openEmbedded(dataDir, log, admit)
      : await openPostgres(databaseUrl, log, admit, limits);
  return databaseOn(engine, options.onStatement);
}

function databaseOn(
  { kind, places, adapter, ping, close }: Engine,
  onStatement: OpenDatabaseOptions["onStatement"],
): Database {
  const client = newClient(adapter, onStatement);
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

function newClient(
  adapter: Engine["adapter"],
  onStatement: OpenDatabaseOptions["onStatement"],
): PrismaClient {
  const options = { adapter, errorFormat: "minimal" } as const;
  if (onStatement === undefined) return new PrismaClient(options);
  const client = new PrismaClient({ ...options, log: [{ emit: "event", level: "query" }] });
  client.$on("query", ({ query }) => onStatement(query));
  return client;
}

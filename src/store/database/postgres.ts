import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import { type Admit, admitAny } from "./admit.js";
import type { Engine, StoreLog } from "./engine.js";
import { readDatabaseFacts } from "./facts.js";
import { type MigrationConnection, migrate } from "./migrate.js";
import { migrationsDirectory } from "./migration-files.js";
import { type PostgresLimits, postgresPool } from "./postgres-pool.js";

const pingTimeoutMs = 5_000;
const connections = 10;
/** The rest is for the reconciler, the sweeps and the event streams. */
const places = 7;

/** Opens and migrates a PostgreSQL >= 15. Connections that break are replaced as they are needed. */
export async function openPostgres(
  databaseUrl: string,
  log: StoreLog,
  admit: Admit = admitAny,
  limits?: PostgresLimits,
): Promise<Engine> {
  const pool = postgresPool(databaseUrl, connections, log, limits);
  try {
    const applied = await migratePool(pool, admit);
    if (applied.length > 0) log.info({ applied }, "applied migrations");
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    kind: "postgres",
    places,
    adapter: new PrismaPg(pool),
    ping: () => ping(pool),
    close: () => pool.end(),
  };
}

export function connectionOf(client: pg.ClientBase): MigrationConnection {
  return {
    execute: async (sql) => void (await client.query(sql)),
    query: async <Row>(sql: string, parameters: readonly unknown[]) => {
      const { rows } = await client.query(sql, [...parameters]);
      return rows as Row[];
    },
  };
}

async function migratePool(pool: pg.Pool, admit: Admit): Promise<string[]> {
  const client = await pool.connect();
  let failure: Error | undefined;
  const fail = (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  };
  client.on("error", fail);
  try {
    // Others that start now may be at it, and a migration takes as long as it takes.
    await client.query("SET lock_timeout = 0; SET statement_timeout = 0");
    const connection = connectionOf(client);
    const examine = async () => admit(await readDatabaseFacts(connection));
    return await migrate(connection, migrationsDirectory, examine);
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    client.off("error", fail);
    client.release(failure ?? true);
  }
}

/** A connection that does not answer in time is thrown away by the pool. */
async function ping(pool: pg.Pool): Promise<void> {
  const query = { text: "SELECT 1", query_timeout: pingTimeoutMs };
  await pool.query(query);
}

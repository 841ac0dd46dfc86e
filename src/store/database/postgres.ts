import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import type { Engine, StoreLog } from "./engine.js";
import { type MigrationConnection, migrate } from "./migrate.js";
import { migrationsDirectory } from "./migration-files.js";

const connectTimeoutMs = 5_000;
const pingTimeoutMs = 5_000;
const idleInTransactionMs = 30_000;
/** A server that accepts connections and then says nothing must not hold callers for ever. */
const queryTimeoutMs = 10_000;
const connections = 10;
/** The rest is for the reconciler, the sweeps and the event streams. */
const places = 7;

/** Opens and migrates a PostgreSQL >= 15. Connections that break are replaced as they are needed. */
export async function openPostgres(databaseUrl: string, log: StoreLog): Promise<Engine> {
  const pool = newPool(databaseUrl, log);
  try {
    const applied = await migratePool(pool);
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

function newPool(connectionString: string, log: StoreLog): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: connections,
    application_name: "patchbay",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    query_timeout: queryTimeoutMs,
    // A replica that hangs inside a transaction must not hold its row locks for ever.
    idle_in_transaction_session_timeout: idleInTransactionMs,
  });
  // Without a listener an idle connection that PostgreSQL ends would end this process.
  pool.on("error", (error) => log.warn({ err: error }, "lost an idle PostgreSQL connection"));
  return pool;
}

async function migratePool(pool: pg.Pool): Promise<string[]> {
  const client = await pool.connect();
  let failure: Error | undefined;
  const fail = (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  };
  client.on("error", fail);
  try {
    return await migrate(connectionOf(client), migrationsDirectory);
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    client.off("error", fail);
    client.release(failure);
  }
}

/** A connection that does not answer in time is thrown away by the pool. */
async function ping(pool: pg.Pool): Promise<void> {
  const query = { text: "SELECT 1", query_timeout: pingTimeoutMs };
  await pool.query(query);
}

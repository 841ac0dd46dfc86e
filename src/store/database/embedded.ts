import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { btree_gist } from "@electric-sql/pglite/contrib/btree_gist";
import { dataDirPlace } from "./data-dir-place.js";
import { assertFreeSpace } from "./disk-space.js";
import type { Engine, StoreLog } from "./engine.js";
import { type MigrationConnection, migrate } from "./migrate.js";
import { migrationsDirectory } from "./migration-files.js";
import { pgliteAdapter } from "./pglite-adapter.js";
import { ensureCluster } from "./staged-start.js";
import { SyncedNodeFS, syncedStartParams } from "./synced-node-fs.js";
import { scheduleVacuum } from "./vacuum.js";

/** One connection, and the thread of the daemon itself: more at a time are no faster. */
const places = 1;

/** Opens and migrates the database in `<dataDir>/db`; the caller holds the directory's lock. */
export async function openEmbedded(dataDir: string, log: StoreLog): Promise<Engine> {
  const database = await openCluster(dataDir, log);
  try {
    const applied = await migrate(connectionOf(database), migrationsDirectory);
    if (applied.length > 0) log.info({ applied }, "applied migrations");
  } catch (error) {
    await database.close();
    throw error;
  }
  return engineOf(database, dataDir, log);
}

/** PGlite in `<dataDir>/db`, made when missing, writing through to the disk; nothing migrated. */
export async function openCluster(dataDir: string, log: StoreLog): Promise<PGlite> {
  assertFreeSpace(dataDir);
  const directory = join(dataDir, "db");
  if (await ensureCluster(directory)) log.info({ directory }, "made the embedded database");
  return PGlite.create({
    fs: new SyncedNodeFS(directory),
    startParams: syncedStartParams(),
    extensions: { btree_gist },
  });
}

export function connectionOf(database: PGlite): MigrationConnection {
  return {
    execute: async (sql) => void (await database.exec(sql)),
    query: async <Row>(sql: string, parameters: readonly unknown[]) => {
      const { rows } = await database.query<Row>(sql, [...parameters]);
      return rows;
    },
  };
}

function engineOf(database: PGlite, dataDir: string, log: StoreLog): Engine {
  const assertInPlace = dataDirPlace(dataDir);
  const before = () => {
    assertInPlace();
    assertFreeSpace(dataDir);
  };
  const exec: PGlite["exec"] = async (...statements) => {
    before();
    return database.exec(...statements);
  };
  const vacuum = scheduleVacuum({ exec }, log);
  return {
    kind: "embedded",
    places,
    adapter: pgliteAdapter(database, { before, after: assertInPlace }),
    ping: async () => {
      before();
      await database.query("SELECT 1");
    },
    close: async () => {
      vacuum.stop();
      await database.close();
    },
  };
}

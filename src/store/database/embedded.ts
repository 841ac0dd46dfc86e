import { chmodSync, lstatSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { btree_gist } from "@electric-sql/pglite/contrib/btree_gist";
import { type Admit, admitAny } from "./admit.js";
import { assertWholeCluster, DamagedDatabaseError, damageOf, hasNoCluster } from "./damage.js";
import { dataDirPlace } from "./data-dir-place.js";
import { assertFreeSpace } from "./disk-space.js";
import type { Engine, StoreLog } from "./engine.js";
import { readDatabaseFacts } from "./facts.js";
import { messageOf } from "./message-of.js";
import { type MigrationConnection, migrate } from "./migrate.js";
import { migrationsDirectory } from "./migration-files.js";
import { pgliteAdapter } from "./pglite-adapter.js";
import { touchEveryTable } from "./soundness.js";
import { ensureCluster } from "./staged-start.js";
import { SyncedNodeFS, syncedStartParams } from "./synced-node-fs.js";
import { withinLimit } from "./time-limit.js";
import { scheduleVacuum } from "./vacuum.js";

/** One connection, and the thread of the daemon itself: more at a time are no faster. */
const places = 1;

/** Recovery of a long write-ahead log counts, and holds the event loop meanwhile. */
const OPEN_LIMIT_MS = 120_000;

/** Where the embedded database of a data directory is. */
export function embeddedDirectory(dataDir: string): string {
  return join(dataDir, "db");
}

/**
 * Where its files are: `db` may be a link to another disk, and PGlite follows none.
 * @throws DamagedDatabaseError when the link leads nowhere
 */
function clusterDirectory(dataDir: string): string {
  const directory = embeddedDirectory(dataDir);
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return directory;
  try {
    return realpathSync(directory);
  } catch (error) {
    throw new DamagedDatabaseError(directory, `it leads nowhere: ${messageOf(error)}`, error);
  }
}

/**
 * Opens and migrates the database in `<dataDir>/db`; the caller holds the directory's lock.
 * @throws DamagedDatabaseError
 */
export async function openEmbedded(
  dataDir: string,
  log: StoreLog,
  admit: Admit = admitAny,
): Promise<Engine> {
  const directory = clusterDirectory(dataDir);
  if (hasNoCluster(directory)) await admit({ state: "absent" });
  const database = await openCluster(dataDir, log);
  try {
    const applied = await migrateCluster(database, admit);
    if (applied.length > 0) log.info({ applied }, "applied migrations");
  } catch (error) {
    await closeQuietly(database);
    const damage = damageOf(error);
    throw damage === undefined ? error : new DamagedDatabaseError(directory, damage, error);
  }
  return engineOf(database, dataDir, log);
}

async function migrateCluster(database: PGlite, admit: Admit): Promise<string[]> {
  const connection = connectionOf(database);
  await touchEveryTable(connection);
  const examine = async () => admit(await readDatabaseFacts(connection));
  return migrate(connection, migrationsDirectory, examine);
}

/** PGlite in `<dataDir>/db`, made when missing, writing through to the disk; nothing migrated. */
export async function openCluster(dataDir: string, log: StoreLog): Promise<PGlite> {
  const directory = clusterDirectory(dataDir);
  assertFreeSpace(dataDir);
  if (await ensureCluster(directory)) log.info({ directory }, "made the embedded database");
  assertWholeCluster(directory);
  // The files in it may be open to everybody, as older releases made them.
  chmodSync(directory, 0o700);
  const opening = PGlite.create({
    fs: new SyncedNodeFS(directory),
    startParams: syncedStartParams(),
    extensions: { btree_gist },
  });
  try {
    return await withinLimit(opening, OPEN_LIMIT_MS, "it did not open");
  } catch (error) {
    throw new DamagedDatabaseError(directory, messageOf(error), error);
  }
}

/** What is damaged may not close either, and the first error is the one that matters. */
async function closeQuietly(database: PGlite): Promise<void> {
  await withinLimit(database.close(), OPEN_LIMIT_MS, "it did not close").catch(() => undefined);
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
  const directory = clusterDirectory(dataDir);
  const before = () => {
    assertInPlace();
    assertFreeSpace(directory);
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

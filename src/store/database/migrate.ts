import { randomUUID } from "node:crypto";
import { describeError } from "./error-facts.js";
import { missingMigrations } from "./history.js";
import { messageOf } from "./message-of.js";
import { type Migration, readMigrations } from "./migration-files.js";

export { EditedMigrationError } from "./history.js";

/** One connection, outside any transaction. */
export interface MigrationConnection {
  /** Runs one or more statements. */
  execute(sql: string): Promise<void>;
  query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
}

/** 22 and 23: rows, 42: tables and columns that do not fit; not what we may not do. */
const MISFIT = /^(22|23|42(?!501))/;

const MISFIT_REMEDY =
  "The database is not as this release expects it: " +
  "start the release that it was last used with, or restore it from a backup";

export class FailedMigrationError extends Error {
  override readonly name = "FailedMigrationError";

  constructor(
    readonly migration: string,
    cause: unknown,
    /** Whether it would fail again: what else fails, as on a lost connection, may pass. */
    readonly isLasting = describeError(cause).sqlStates.some((state) => MISFIT.test(state)),
  ) {
    const what = `migration ${migration} failed, and nothing of it was kept: ${messageOf(cause)}`;
    super(isLasting ? `${what}. ${MISFIT_REMEDY}` : what, { cause });
  }
}

/** The key under which `prisma migrate` takes its own lock, so that the two exclude each other. */
const advisoryLockKey = 72707369;

/** As Prisma creates it: `prisma migrate status` and `deploy` read and extend the same table. */
const createHistory = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

const insertApplied = `INSERT INTO "_prisma_migrations"
  (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
  VALUES ($1, $2, $3, now(), now(), 1)`;

/**
 * Applies what is missing of the migrations in `directory`, in the order of their names and in one
 * transaction: a failure leaves the database as it was. Processes that start at once on one
 * database wait for each other.
 * @param admit called before anything is written, with the lock held; what it throws is thrown
 * @returns the names of the migrations applied
 * @throws FailedMigrationError, and as `missingMigrations` does
 */
export async function migrate(
  connection: MigrationConnection,
  directory: string,
  admit: () => Promise<void> = async () => undefined,
): Promise<string[]> {
  const migrations = await readMigrations(directory);
  await connection.execute("BEGIN");
  try {
    await connection.query("SELECT pg_advisory_xact_lock($1)", [advisoryLockKey]);
    const missing = await missingMigrations(connection, migrations);
    await admit();
    if (missing.length > 0) await connection.execute(createHistory);
    for (const migration of missing) await apply(connection, migration);
    await connection.execute("COMMIT");
    return missing.map(({ name }) => name);
  } catch (error) {
    await rollBack(connection, error);
    throw error;
  }
}

async function apply(connection: MigrationConnection, migration: Migration): Promise<void> {
  const { name, checksum, sql } = migration;
  try {
    await connection.execute(sql);
  } catch (cause) {
    throw new FailedMigrationError(name, cause);
  }
  await connection.query(insertApplied, [randomUUID(), checksum, name]);
}

/** A lost connection has rolled back by itself: what matters then is the first error. */
async function rollBack(connection: MigrationConnection, reason: unknown): Promise<void> {
  try {
    await connection.execute("ROLLBACK");
  } catch (error) {
    throw new AggregateError([reason, error], "a migration failed, and so did its rollback", {
      cause: reason,
    });
  }
}

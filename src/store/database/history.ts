import type { Migration } from "./migration-files.js";

interface Connection {
  query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
}

export class EditedMigrationError extends Error {
  override readonly name = "EditedMigrationError";

  constructor(readonly migration: string) {
    super(
      `migration ${migration} was edited after it was applied to this database; ` +
        "restore it and put the change into a new migration",
    );
  }
}

/** A later release has been here: this one would write rows that lack what that one relies on. */
export class NewerDatabaseError extends Error {
  override readonly name = "NewerDatabaseError";

  constructor(readonly migrations: readonly string[]) {
    super(
      `the database belongs to a later release of Patchbay: it has had ${migrations.join(", ")}, ` +
        "which this release does not know; nothing was written. " +
        "Start that release or a later one, or restore the backup made before the upgrade",
    );
  }
}

/** `prisma migrate` was interrupted, or failed and was not resolved. */
export class UnfinishedMigrationError extends Error {
  override readonly name = "UnfinishedMigrationError";

  constructor(readonly migration: string) {
    super(
      `migration ${migration} was begun on this database and not finished; nothing was written. ` +
        "Restore the backup made before it, or bring the schema in order and tell the history: " +
        `prisma migrate resolve --applied|--rolled-back ${migration}`,
    );
  }
}

interface HistoryRow {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

const selectHistory = `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
  FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name`;

/**
 * What of the migrations is missing in a database. Only reads.
 * @throws NewerDatabaseError | UnfinishedMigrationError | EditedMigrationError
 */
export async function missingMigrations(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const rows = await readHistory(connection);
  const known = new Set(migrations.map(({ name }) => name));
  const strangers = rows.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (strangers.length > 0) throw new NewerDatabaseError(strangers);
  const unfinished = rows.find(({ name, finished }) => !finished && !isDone(rows, name));
  if (unfinished !== undefined) throw new UnfinishedMigrationError(unfinished.name);
  const applied = new Map(rows.filter(isFinished).map(({ name, checksum }) => [name, checksum]));
  const edited = migrations.find(
    ({ name, checksum }) => (applied.get(name) ?? checksum) !== checksum,
  );
  if (edited !== undefined) throw new EditedMigrationError(edited.name);
  return migrations.filter(({ name }) => !applied.has(name));
}

async function readHistory(connection: Connection): Promise<HistoryRow[]> {
  const sql = `SELECT to_regclass('"_prisma_migrations"') IS NOT NULL AS "isThere"`;
  const [table] = await connection.query<{ isThere: boolean }>(sql, []);
  return table?.isThere ? connection.query<HistoryRow>(selectHistory, []) : [];
}

function isFinished({ finished }: HistoryRow): boolean {
  return finished;
}

function isDone(rows: readonly HistoryRow[], name: string): boolean {
  return rows.some((row) => row.name === name && row.finished);
}

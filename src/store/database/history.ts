import type { Migration } from "./migration-files.js";

interface Connection {
  query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
}

export class EditedMigrationError extends Error {
  override readonly name = "EditedMigrationError";

  constructor(readonly migration: string) {
    super(
      `migration ${migration} is not the one that this database has had: its text is another; ` +
        "nothing was written. Start the release that it was migrated with, " +
        "or put back the files of this one (prisma/migrations) as they were delivered",
    );
  }
}

/** A later release, or another application, has been here: this one would write rows that lack what that one relies on. */
export class NewerDatabaseError extends Error {
  override readonly name = "NewerDatabaseError";

  constructor(readonly migrations: readonly string[]) {
    super(
      `the database has had migrations that this release does not know (${migrations.join(", ")}): ` +
        "it belongs to a later release of Patchbay, or to another application; nothing was written. " +
        "Start that release or a later one, or restore the backup made before the upgrade; " +
        "where another application has it, set DATABASE_URL to a database of Patchbay's own",
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

/** What `_prisma_migrations` says is not what the database has had. */
export class BrokenHistoryError extends Error {
  override readonly name = "BrokenHistoryError";

  constructor(what: string, remedy: string) {
    super(
      `the history of migrations (_prisma_migrations) is incomplete: ${what}; nothing was written. ` +
        `Restore the database from a backup, or ${remedy}`,
    );
  }
}

const selectHistory = `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
  FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name`;

/**
 * What of the migrations is missing in a database. Only reads.
 * @throws NewerDatabaseError | UnfinishedMigrationError | EditedMigrationError | BrokenHistoryError
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
  const missing = migrations.filter(({ name }) => !applied.has(name));
  if (applied.size === 0) await assertNoTables(connection, migrations);
  else assertNoGap(missing, applied);
  return missing;
}

/** Applied again, a migration fails at best; at worst it changes rows that it was not made for. */
function assertNoGap([first]: readonly Migration[], applied: ReadonlyMap<string, unknown>): void {
  const later = [...applied.keys()].find((name) => first !== undefined && name > first.name);
  if (first === undefined || later === undefined) return;
  throw new BrokenHistoryError(
    `it lacks ${first.name}, and has the later ${later}`,
    `if that migration was applied, note it: prisma migrate resolve --applied ${first.name}`,
  );
}

const CREATED = /^CREATE TABLE "(\w+)"/gm;

async function assertNoTables(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<void> {
  const names = migrations.flatMap(({ sql }) => [...sql.matchAll(CREATED)].map(([, name]) => name));
  const sql = `SELECT name FROM unnest($1::text[]) AS name
    WHERE to_regclass(quote_ident(name)) IS NOT NULL ORDER BY 1`;
  const found = await connection.query<{ name: string }>(sql, [names]);
  if (found.length === 0) return;
  throw new BrokenHistoryError(
    `it has nothing, and the tables ${found.map(({ name }) => name).join(", ")} are there`,
    "where another application has it, set DATABASE_URL to a database of Patchbay's own",
  );
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

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodeOf } from "../../../src/exit-codes.js";
import {
  BrokenHistoryError,
  NewerDatabaseError,
  UnfinishedMigrationError,
} from "../../../src/store/database/history.js";
import { FailedMigrationError, migrate } from "../../../src/store/database/migrate.js";
import { migrationsDirectory } from "../../../src/store/database/migration-files.js";
import { copyMigrations, engines, type Opened } from "../../support/migrations.js";

const insert = `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, rolled_back_at)
  VALUES ($1, 'x', $1, $2, $3)`;
const NOW = "2026-01-01T00:00:00Z";

describe.each(engines)("a database that a later release has had, on $name", ({ open }) => {
  let opened: Opened;
  let older: string;

  beforeAll(async () => {
    opened = await open();
    older = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    copyMigrations(/_withheld_routes$/, older, false);
  });
  afterAll(async () => {
    await opened.close();
    rmSync(older, { recursive: true });
  });

  const history = () =>
    opened.connection.query<{ name: string }>(
      `SELECT migration_name AS name FROM "_prisma_migrations" ORDER BY 1`,
      [],
    );
  const note = (name: string, finished: string | null, rolledBack: string | null = null) =>
    opened.connection.query(insert, [name, finished, rolledBack]);
  const forget = (name: string) =>
    opened.connection.query(`DELETE FROM "_prisma_migrations" WHERE id = $1`, [name]);

  it("is not even given a history by who is refused", async () => {
    const { connection } = opened;
    const refuse = async () => {
      throw new Error("not this one");
    };
    await expect(migrate(connection, older, refuse)).rejects.toThrow("not this one");
    const sql = `SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n
      ON n.oid = c.relnamespace WHERE n.nspname = 'public'`;
    expect(await connection.query(sql, [])).toEqual([{ count: 0 }]);
  });

  it("is refused, naming what this release does not know, and left as it is", async () => {
    const { connection } = opened;
    await migrate(connection, migrationsDirectory);
    const before = await history();
    const refused = migrate(connection, older);
    await expect(refused).rejects.toThrow(NewerDatabaseError);
    await expect(refused).rejects.toThrow("_withheld_routes");
    expect(await history()).toEqual(before);
  });

  it("is refused when only the last of what is missing here is known there", async () => {
    const { connection } = opened;
    await note("29990101000000_later", NOW);
    await expect(migrate(connection, migrationsDirectory)).rejects.toThrow("29990101000000_later");
    await forget("29990101000000_later");
  });

  it("is refused while a migration of either release was begun and not finished", async () => {
    const { connection } = opened;
    await note("20261121000000_intent_again", null);
    await expect(migrate(connection, migrationsDirectory)).rejects.toThrow(NewerDatabaseError);
    await forget("20261121000000_intent_again");
    const sql = `UPDATE "_prisma_migrations" SET finished_at = $1 WHERE migration_name LIKE '%_intent'`;
    await connection.query(sql, [null]);
    await expect(migrate(connection, migrationsDirectory)).rejects.toThrow(
      UnfinishedMigrationError,
    );
    await connection.query(sql, [NOW]);
  });

  it("is told from another application's only by who knows", async () => {
    const { connection } = opened;
    await note("20200101000000_of_another", NOW);
    const refused = migrate(connection, migrationsDirectory);
    await expect(refused).rejects.toThrow("or to another application");
    await forget("20200101000000_of_another");
  });

  it("is not migrated again where the history has lost a row, or all of them", async () => {
    const { connection } = opened;
    const expectBroken = async (what: string) => {
      const error = await migrate(connection, migrationsDirectory).catch((reason) => reason);
      expect(error).toBeInstanceOf(BrokenHistoryError);
      expect(error.message).toContain(what);
      expect(exitCodeOf(error)).toBe(78);
    };
    await connection.execute(`CREATE TABLE kept AS SELECT * FROM "_prisma_migrations"`);
    await connection.execute(
      `DELETE FROM "_prisma_migrations" WHERE migration_name LIKE '%_security_groups'`,
    );
    await expectBroken("it lacks 20261121150000_security_groups");
    await connection.execute(`ALTER TABLE "_prisma_migrations" RENAME TO elsewhere`);
    await expectBroken("access_key");
    await connection.execute(`ALTER TABLE elsewhere RENAME TO "_prisma_migrations";
      DELETE FROM "_prisma_migrations"`);
    await expectBroken("it has nothing");
    await connection.execute(
      `INSERT INTO "_prisma_migrations" SELECT * FROM kept; DROP TABLE kept`,
    );
  });

  it("is not tried again where its tables are not what a migration expects", async () => {
    const { connection } = opened;
    await connection.execute(`CREATE TABLE kept AS SELECT * FROM "_prisma_migrations";
      DELETE FROM "_prisma_migrations" WHERE migration_name > '20261128'`);
    const error = await migrate(connection, migrationsDirectory).catch((reason) => reason);
    expect(error).toBeInstanceOf(FailedMigrationError);
    expect(error.message).toContain(`"withheld_route" already exists`);
    expect(exitCodeOf(error)).toBe(78);
    expect(exitCodeOf(new FailedMigrationError("x", { code: "57P01" }))).toBe(1);
    await connection.execute(`INSERT INTO "_prisma_migrations" SELECT * FROM kept
      ON CONFLICT DO NOTHING; DROP TABLE kept`);
  });

  it("is taken when what this release does not know was rolled back", async () => {
    const { connection } = opened;
    await note("29990101000000_later", null, NOW);
    expect(await migrate(connection, migrationsDirectory)).toEqual([]);
  });
});

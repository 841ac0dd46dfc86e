import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { connectionOf as onPGlite } from "../../../src/store/database/embedded.js";
import {
  EditedMigrationError,
  FailedMigrationError,
  type MigrationConnection,
  migrate,
} from "../../../src/store/database/migrate.js";
import { openDatabase } from "../../../src/store/database/open.js";
import { connectionOf as onPostgres } from "../../../src/store/database/postgres.js";
import { recordingLog } from "../../support/log.js";
import { createDatabase } from "../../support/postgres.js";

interface Opened {
  readonly connection: MigrationConnection;
  close(): Promise<void>;
}

async function newPostgres(): Promise<string> {
  const { postgres } = inject("databaseTemplates");
  if ("missing" in postgres) throw new Error(postgres.missing);
  return createDatabase(postgres.adminUrl);
}

async function openPostgres(): Promise<Opened> {
  const client = new pg.Client({ connectionString: await newPostgres() });
  await client.connect();
  return { connection: onPostgres(client), close: () => client.end() };
}

async function openPGlite(): Promise<Opened> {
  const database = await PGlite.create();
  return { connection: onPGlite(database), close: () => database.close() };
}

const engines = [
  { name: "pglite", open: openPGlite },
  { name: "postgres", open: openPostgres },
];

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "patchbay-migrations-"));
  writeFileSync(join(directory, "migration_lock.toml"), 'provider = "postgresql"\n');
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, sql: string): void {
  mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, name, "migration.sql"), sql);
}

describe.each(engines)("migrate on $name", ({ open }) => {
  let opened: Opened;
  let connection: MigrationConnection;

  beforeEach(async () => {
    opened = await open();
    connection = opened.connection;
  });

  afterEach(() => opened.close());

  async function tables(): Promise<string[]> {
    const sql = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    return (await connection.query<{ name: string }>(sql, [])).map(({ name }) => name);
  }

  test("applies what is missing in the order of the names, and nothing twice", async () => {
    write("2_b", "INSERT INTO a VALUES (1); CREATE TABLE b (id int);");
    write("1_a", "CREATE TABLE a (id int);");
    expect(await migrate(connection, directory)).toEqual(["1_a", "2_b"]);
    expect(await migrate(connection, directory)).toEqual([]);
    write("3_c", "CREATE TABLE c (id int);");
    expect(await migrate(connection, directory)).toEqual(["3_c"]);
    expect(await tables()).toEqual(["_prisma_migrations", "a", "b", "c"]);
  });

  test("refuses when an applied migration was edited, and applies nothing more", async () => {
    write("1_a", "CREATE TABLE a (id int);");
    await migrate(connection, directory);
    write("1_a", "CREATE TABLE a (id bigint);");
    write("2_b", "CREATE TABLE b (id int);");
    const error = await migrate(connection, directory).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EditedMigrationError);
    expect(error).toMatchObject({ migration: "1_a" });
    expect(await tables()).toEqual(["_prisma_migrations", "a"]);
  });

  test("keeps nothing of a run in which one fails, and works once it is mended", async () => {
    write("1_a", "CREATE TABLE a (id int);");
    write("2_b", "CREATE TABLE b (id int); SELECT 1 / 0;");
    const error = await migrate(connection, directory).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FailedMigrationError);
    expect(error).toMatchObject({ migration: "2_b", cause: { code: "22012" } });
    expect(await tables()).toEqual([]);
    write("2_b", "CREATE TABLE b (id int);");
    expect(await migrate(connection, directory)).toEqual(["1_a", "2_b"]);
  });
});

test("several processes that start at once on one PostgreSQL migrate it once", async () => {
  const databaseUrl = await newPostgres();
  const logs = Array.from({ length: 4 }, () => recordingLog());
  const opening = logs.map((log) => openDatabase({ databaseUrl, dataDir: directory, log }));
  const databases = await Promise.all(opening);
  const applied = logs.flatMap(({ lines }) => lines.map(({ message }) => message));
  expect(applied).toEqual(["applied migrations"]);
  expect(await databases[0]?.client.tenant.count()).toBe(0);
  await Promise.all(databases.map((database) => database.close()));
});

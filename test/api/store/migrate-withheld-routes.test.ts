import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { btree_gist } from "@electric-sql/pglite/contrib/btree_gist";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { connectionOf as onPGlite } from "../../../src/store/database/embedded.js";
import { type MigrationConnection, migrate } from "../../../src/store/database/migrate.js";
import { connectionOf as onPostgres } from "../../../src/store/database/postgres.js";
import { createDatabase } from "../../support/postgres.js";

const MIGRATIONS = join(import.meta.dirname, "../../../prisma/migrations");
const WITHHELD_ROUTES = /_withheld_routes$/;

interface Opened {
  readonly connection: MigrationConnection;
  close(): Promise<void>;
}

async function openPostgres(): Promise<Opened> {
  const { postgres } = inject("databaseTemplates");
  if ("missing" in postgres) throw new Error(postgres.missing);
  const client = new pg.Client({ connectionString: await createDatabase(postgres.adminUrl) });
  await client.connect();
  return { connection: onPostgres(client), close: () => client.end() };
}

async function openPGlite(): Promise<Opened> {
  const database = await PGlite.create({ extensions: { btree_gist } });
  return { connection: onPGlite(database), close: () => database.close() };
}

const engines = [
  { name: "pglite", open: openPGlite },
  { name: "postgres", open: openPostgres },
];

/** A table with the routes that two peers have brought, of which one takes the other's traffic. */
const BEFORE = `
  INSERT INTO tenant (id, name) VALUES ('111111111111', 'one');
  INSERT INTO vpc (id, tenant_id, generation) VALUES ('vpc-v', '111111111111', 7);
  INSERT INTO route_table (id, vpc_id, main, generation) VALUES ('rtb-v', 'vpc-v', true, 7);
  INSERT INTO route (route_table_id, destination, vpc_peering_id, origin) VALUES
    ('rtb-v', '10.3.0.0/16', 'pcx-w', 'peering'), ('rtb-v', '10.3.5.0/24', 'pcx-a', 'peering');`;

describe.each(engines)("a database of before withheld routes, on $name", ({ open }) => {
  let opened: Opened;
  let directory: string;

  beforeEach(async () => {
    opened = await open();
    directory = mkdtempSync(join(tmpdir(), "patchbay-migrations-"));
  });

  afterEach(async () => {
    await opened.close();
    rmSync(directory, { recursive: true });
  });

  /** Copies the migrations up to the one that brings withheld routes. */
  function copyMigrations(including: boolean): void {
    const names = readdirSync(MIGRATIONS).sort();
    const index = names.findIndex((name) => WITHHELD_ROUTES.test(name));
    const lock = names.filter((name) => name.endsWith(".toml"));
    for (const name of [...names.slice(0, including ? index + 1 : index), ...lock]) {
      cpSync(join(MIGRATIONS, name), join(directory, name), { recursive: true });
    }
  }

  const ask = (sql: string) => opened.connection.query<Record<string, unknown>>(sql, []);

  test("keeps the routes that it has, and withholds none of them", async () => {
    copyMigrations(false);
    await migrate(opened.connection, directory);
    await opened.connection.execute(BEFORE);
    const routes = "SELECT destination::text, vpc_peering_id, origin FROM route ORDER BY 1";
    const before = await ask(routes);
    expect(before).toHaveLength(2);
    copyMigrations(true);
    expect(await migrate(opened.connection, directory)).toEqual([
      expect.stringMatching(WITHHELD_ROUTES),
    ]);
    expect(await ask(routes)).toEqual(before);
    expect(await ask("SELECT * FROM withheld_route")).toEqual([]);
  });

  test("loses what was withheld with its table, and takes no block with host bits", async () => {
    copyMigrations(true);
    await migrate(opened.connection, directory);
    await opened.connection.execute(BEFORE);
    const insert = (destination: string) =>
      opened.connection.execute(
        `INSERT INTO withheld_route (route_table_id, destination, vpc_peering_id)
         VALUES ('rtb-v', '${destination}', 'pcx-a')`,
      );
    await expect(insert("10.3.6.1/24")).rejects.toMatchObject({ code: "23514" });
    await insert("10.3.6.0/24");
    await opened.connection.execute("DELETE FROM vpc WHERE id = 'vpc-v'");
    expect(await ask("SELECT * FROM withheld_route")).toEqual([]);
  });
});

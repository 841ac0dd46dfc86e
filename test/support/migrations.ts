import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { btree_gist } from "@electric-sql/pglite/contrib/btree_gist";
import pg from "pg";
import { inject } from "vitest";
import { connectionOf as onPGlite } from "../../src/store/database/embedded.js";
import type { MigrationConnection } from "../../src/store/database/migrate.js";
import { connectionOf as onPostgres } from "../../src/store/database/postgres.js";
import { createDatabase } from "./postgres.js";

const MIGRATIONS = fileURLToPath(new URL("../../prisma/migrations", import.meta.url));

/** Copies the migrations before the first that `named` fits, or up to that one, into a folder. */
export function copyMigrations(named: RegExp, directory: string, including: boolean): void {
  const names = readdirSync(MIGRATIONS).sort();
  const index = names.findIndex((name) => named.test(name));
  const lock = names.filter((name) => name.endsWith(".toml"));
  for (const name of [...names.slice(0, including ? index + 1 : index), ...lock]) {
    cpSync(join(MIGRATIONS, name), join(directory, name), { recursive: true });
  }
}

/** An empty database, and how it is let go of. */
export interface Opened {
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

/** Both engines, for tests of migrations themselves. */
export const engines = [
  { name: "pglite", open: openPGlite },
  { name: "postgres", open: openPostgres },
];

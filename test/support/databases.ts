import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { createDatabase } from "./postgres.js";
import type { PostgresTemplate } from "./templates.js";

export interface FreshDatabase {
  /** Set for PostgreSQL only. */
  readonly databaseUrl?: string;
  readonly dataDir: string;
  /** Call it after the database was closed. */
  cleanup(): Promise<void>;
}

export interface DatabaseEngine {
  readonly name: "pglite" | "postgres";
  /** A migrated and empty database of its own. */
  fresh(): Promise<FreshDatabase>;
}

/** For `describe.each`: the same tests on both. */
export const databaseEngines: readonly DatabaseEngine[] = [
  { name: "pglite", fresh: freshPglite },
  { name: "postgres", fresh: freshPostgres },
];

/**
 * For `describe.each`, where calls one after another are answered by the same code on both: the
 * default alone, or both where all is to be seen (`npm run test:databases`).
 */
export const answerEngines: readonly DatabaseEngine[] =
  process.env["TEST_DATABASES"] === "all" ? databaseEngines : databaseEngines.slice(0, 1);

async function freshPglite(): Promise<FreshDatabase> {
  const directory = newDataDir();
  cpSync(inject("databaseTemplates").dataDir, directory.dataDir, { recursive: true });
  return directory;
}

async function freshPostgres(): Promise<FreshDatabase> {
  const { adminUrl, template } = postgresTemplate();
  const databaseUrl = await createDatabase(adminUrl, template);
  return { databaseUrl, ...newDataDir() };
}

function postgresTemplate(): PostgresTemplate {
  const { postgres } = inject("databaseTemplates");
  if ("missing" in postgres) throw new Error(`no PostgreSQL for this test: ${postgres.missing}`);
  return postgres;
}

function newDataDir(): FreshDatabase {
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  return { dataDir, cleanup: async () => rmSync(dataDir, { recursive: true, force: true }) };
}

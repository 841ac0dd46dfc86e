import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../../src/store/database/open.js";
import { migrateEmbedded } from "./embedded.global-setup.js";
import { type PostgresServer, startPostgres } from "./postgres.js";

/** What tests copy their fresh databases from; made once a run, since a first start takes seconds. */
export interface DatabaseTemplates {
  /** A data directory with a migrated embedded database. */
  readonly dataDir: string;
  readonly postgres: PostgresTemplate | { readonly missing: string };
}

export interface PostgresTemplate {
  /** Of the database in which others are created. */
  readonly adminUrl: string;
  /** Name of a migrated database without connections. */
  readonly template: string;
}

declare module "vitest" {
  interface ProvidedContext {
    databaseTemplates: DatabaseTemplates;
  }
}

const ignore = () => undefined;
const log = { info: ignore, warn: ignore, error: ignore };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-template-"));
  const [server] = await Promise.all([startUnlessMissing(), migrateEmbedded(dataDir)]);
  const postgres = "missing" in server ? server : await migratePostgres(server, dataDir);
  project.provide("databaseTemplates", { dataDir, postgres });
  return async () => {
    rmSync(dataDir, { recursive: true, force: true });
    if (!("missing" in server)) await server.stop();
  };
}

/** A machine without PostgreSQL still runs the tests on PGlite; the others then fail and say why. */
async function startUnlessMissing(): Promise<PostgresServer | { missing: string }> {
  try {
    return await startPostgres();
  } catch (error) {
    return { missing: String(error) };
  }
}

async function migratePostgres(server: PostgresServer, dataDir: string): Promise<PostgresTemplate> {
  const databaseUrl = await server.createDatabase();
  const database = await openDatabase({ databaseUrl, dataDir, log });
  await database.close();
  return { adminUrl: server.url("postgres"), template: new URL(databaseUrl).pathname.slice(1) };
}

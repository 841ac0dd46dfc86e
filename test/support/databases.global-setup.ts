import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { type PostgresServer, startPostgres } from "./postgres.js";
import { migrateEmbedded, migratePostgres, type PostgresTemplate } from "./templates.js";

/** What tests copy their fresh databases from; made once a run, since a first start takes seconds. */
export interface DatabaseTemplates {
  /** A data directory with a migrated embedded database. */
  readonly dataDir: string;
  readonly postgres: PostgresTemplate | { readonly missing: string };
}

declare module "vitest" {
  interface ProvidedContext {
    databaseTemplates: DatabaseTemplates;
  }
}

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

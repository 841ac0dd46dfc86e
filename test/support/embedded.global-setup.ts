import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres.js";
import { migrateEmbedded, migratePostgres, type PostgresTemplate } from "./templates.js";

declare module "vitest" {
  interface ProvidedContext {
    /**
     * A data directory with a migrated, empty database: a daemon's own first start takes seconds.
     * With `TEST_DAEMONS=postgres` there is none in it.
     */
    embeddedTemplate: string;
    /**
     * With `TEST_DAEMONS=postgres`: what daemons' databases are copied from. The embedded one touches
     * hundreds of MiB when it starts, which takes long where the kernel itself is only a process.
     */
    daemonTemplate: PostgresTemplate | null | undefined;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-template-"));
  const server = process.env["TEST_DAEMONS"] === "postgres" ? await startPostgres() : undefined;
  if (server === undefined) await migrateEmbedded(dataDir);
  project.provide("embeddedTemplate", dataDir);
  const template = server === undefined ? null : await migratePostgres(server, dataDir);
  project.provide("daemonTemplate", template);
  return async () => {
    rmSync(dataDir, { recursive: true, force: true });
    await server?.stop();
  };
}

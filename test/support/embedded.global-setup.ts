import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../../src/store/database/open.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A data directory with a migrated, empty database: a daemon's own first start takes seconds. */
    embeddedTemplate: string;
  }
}

const ignore = () => undefined;
const log = { info: ignore, warn: ignore, error: ignore };

export default async function setup(project: TestProject): Promise<() => void> {
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-template-"));
  await migrateEmbedded(dataDir);
  project.provide("embeddedTemplate", dataDir);
  return () => rmSync(dataDir, { recursive: true, force: true });
}

export async function migrateEmbedded(dataDir: string): Promise<void> {
  const database = await openDatabase({ dataDir, log });
  await database.close();
}

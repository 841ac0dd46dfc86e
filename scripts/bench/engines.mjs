import { join } from "node:path";
import { BenchDaemon } from "../lib/bench-daemon.mjs";
import { makeEmbedded, makePostgres } from "../lib/bench-postgres.mjs";
import { makeTenant } from "../lib/bench-tenant.mjs";

/** Each yields a database of its own, or undefined where it is not installed. */
export const ENGINES = { embedded: makeEmbedded, PostgreSQL: makePostgres };

/** @returns {Promise<import("../lib/bench-postgres.mjs").BenchDatabase | undefined>} */
export async function freshDatabase(make, undo) {
  const database = await make();
  if (database !== undefined) undo.add(() => database.remove());
  return database;
}

/** A daemon without a switch on a database, and a tenant of it. */
export async function startNoop({ databaseUrl, dataDir }, { undo, signal }) {
  const settings = {
    PATCHBAY_BACKEND: "noop",
    PATCHBAY_DATA_DIR: join(dataDir, "daemon"),
    PATCHBAY_QUOTA_VPCS_PER_TENANT: "1000000",
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
  };
  const daemon = new BenchDaemon(settings, signal);
  undo.add(() => daemon.stop());
  const url = await daemon.start();
  return { url, ...(await makeTenant(url)) };
}

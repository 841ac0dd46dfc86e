// The databases that the schema engine works on, as driver adapters.
import { existsSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { btree_gist } from "@electric-sql/pglite/contrib/btree_gist";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaPGlite } from "pglite-prisma-adapter";

/** Both adapters run scripts badly: pg's splits at every ";", PGlite's does not wait. */
async function adapterWith(factory, executeScript) {
  const adapter = await factory.connect();
  adapter.executeScript = async (script) => void (await executeScript(script));
  return adapter;
}

function onPGlite(database) {
  return adapterWith(new PrismaPGlite(database), (script) => database.exec(script));
}

function onPostgres(url) {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 5_000 });
  return adapterWith(new PrismaPg(pool), (script) => pool.query(script));
}

/** Locked and opened as the daemon does it: two processes on one directory would lose rows. */
async function onEmbedded(dataDir) {
  const built = new URL("../../dist/store/database/", import.meta.url);
  if (!existsSync(built)) throw new Error("run `npm run build` first, or set DATABASE_URL");
  const { lockDataDir } = await import(new URL("data-dir-lock.js", built));
  const { openCluster } = await import(new URL("embedded.js", built));
  await lockDataDir(dataDir);
  return onPGlite(await openCluster(dataDir, { info() {}, warn() {}, error() {} }));
}

export async function connectToShadow() {
  return onPGlite(await PGlite.create({ extensions: { btree_gist } }));
}

/** A diff touches no database but shadows; every other method works on the installation's own. */
export async function connectToMain(method) {
  if (method === "diff") return connectToShadow();
  const url = process.env.DATABASE_URL;
  return url ? onPostgres(url) : onEmbedded(process.env.PATCHBAY_DATA_DIR ?? "var");
}

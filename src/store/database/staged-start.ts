import { readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { hasNoCluster } from "./damage.js";
import { type Sync, syncPath } from "./synced-node-fs.js";

/**
 * Makes an empty cluster at `directory` unless there is one: initialised aside, synced, and moved
 * into place in one step, so that a power loss at any moment leaves either nothing or all of it.
 *
 * The caller holds the lock of the data directory.
 * @returns whether a cluster was made
 */
export async function ensureCluster(directory: string, sync?: Sync): Promise<boolean> {
  if (!hasNoCluster(directory)) return false;
  const staging = `${directory}.init`;
  rmSync(staging, { recursive: true, force: true });
  const database = await PGlite.create({ dataDir: staging });
  await database.close();
  syncTree(staging, sync);
  renameSync(staging, directory);
  syncPath(dirname(directory), sync);
  return true;
}

function syncTree(directory: string, sync?: Sync): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) syncTree(path, sync);
    else if (entry.isFile()) syncPath(path, sync);
  }
  syncPath(directory, sync);
}

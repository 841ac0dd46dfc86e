import {
  cpSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { ensureCluster } from "../../../src/store/database/staged-start.js";
import { SyncedNodeFS, syncedStartParams } from "../../../src/store/database/synced-node-fs.js";

/** Syncs for real, and counts files and directories apart. */
function countingSync() {
  const counts = { files: 0, directories: 0 };
  const sync = (fileDescriptor: number) => {
    counts[fstatSync(fileDescriptor).isDirectory() ? "directories" : "files"] += 1;
    fsyncSync(fileDescriptor);
  };
  return { counts, sync };
}

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "patchbay-test-"));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

describe("PGlite with a synced file system", () => {
  async function open(sync: (fileDescriptor: number) => void): Promise<PGlite> {
    const directory = join(dataDir, "db");
    cpSync(join(inject("databaseTemplates").dataDir, "db"), directory, { recursive: true });
    const fs = new SyncedNodeFS(directory, sync);
    return PGlite.create({ fs, startParams: syncedStartParams() });
  }

  test("syncs a file for every commit, before the commit is confirmed", async () => {
    const { counts, sync } = countingSync();
    const database = await open(sync);
    await database.exec("CREATE TABLE synced (id int)");
    const before = counts.files;
    for (let id = 1; id <= 5; id += 1) {
      await database.query("INSERT INTO synced VALUES ($1)", [id]);
      expect(counts.files - before).toBeGreaterThanOrEqual(id);
    }
    await database.close();
  });

  test("syncs files and directories at a checkpoint", async () => {
    const { counts, sync } = countingSync();
    const database = await open(sync);
    await database.exec("CREATE TABLE checkpointed AS SELECT generate_series(1, 1000) AS id");
    const before = { ...counts };
    await database.exec("CHECKPOINT");
    expect(counts.files).toBeGreaterThan(before.files + 1);
    expect(counts.directories).toBeGreaterThan(before.directories);
    await database.close();
  });

  test("runs with the settings that make PostgreSQL sync at all", async () => {
    expect(syncedStartParams()).not.toContain("-F");
    const { rows } = await settingsOf(await open(fsyncSync));
    expect(rows).toEqual([
      { name: "fsync", setting: "on" },
      { name: "synchronous_commit", setting: "on" },
      { name: "wal_sync_method", setting: "fsync" },
    ]);
  });

  async function settingsOf(database: PGlite) {
    const names = "'fsync', 'synchronous_commit', 'wal_sync_method'";
    const sql = `SELECT name, setting FROM pg_settings WHERE name IN (${names}) ORDER BY name`;
    const result = await database.query(sql);
    await database.close();
    return result;
  }
});

describe("the first start", () => {
  test("moves a synced cluster into place, once, whatever an earlier one left", async () => {
    const directory = join(dataDir, "db");
    mkdirSync(join(`${directory}.init`, "half"), { recursive: true });
    const { counts, sync } = countingSync();
    expect(await ensureCluster(directory, sync)).toBe(true);
    expect(readdirSync(dataDir)).toEqual(["db"]);
    expect(existsSync(join(directory, "half"))).toBe(false);
    const made = readdirSync(directory, { recursive: true, withFileTypes: true });
    expect(counts.files).toBe(made.filter((entry) => entry.isFile()).length);
    // The cluster's own directory and the one that it was moved into come on top.
    expect(counts.directories).toBe(made.filter((entry) => entry.isDirectory()).length + 2);
    expect(await ensureCluster(directory, sync)).toBe(false);
  });

  test("leaves nothing in place when the machine stops before all is synced", async () => {
    const directory = join(dataDir, "db");
    const stop = () => {
      throw new Error("power loss");
    };
    await expect(ensureCluster(directory, stop)).rejects.toThrow("power loss");
    expect(existsSync(directory)).toBe(false);
    expect(await ensureCluster(directory)).toBe(true);
  });
});

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { DamagedDatabaseError } from "../../../src/store/database/damage.js";
import { openDatabase } from "../../../src/store/database/open.js";
import { recordingLog } from "../../support/log.js";

let dataDir: string;
let db: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  db = join(dataDir, "db");
  cpSync(join(inject("databaseTemplates").dataDir, "db"), db, { recursive: true });
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function expectNamed(what = "damaged"): Promise<void> {
  const opening = openDatabase({ dataDir, log: recordingLog() });
  await expect(opening).rejects.toThrow(DamagedDatabaseError);
  await expect(opening).rejects.toThrow(db);
  await expect(opening).rejects.toThrow("restore");
  await expect(opening).rejects.toThrow(what);
}

describe("a damaged embedded database is named, and nothing is made in its place", () => {
  it("a pg_control that is cut short", async () => {
    truncateSync(join(db, "global/pg_control"), 100);
    await expectNamed();
    expect(existsSync(`${db}.init`)).toBe(false);
  });

  it("a table whose file has lost what was in it", async () => {
    const embedded = await PGlite.create(db);
    await embedded.exec(
      `INSERT INTO tenant (id, name) VALUES ('100000000001', 'lost'); CHECKPOINT`,
    );
    const sql = "SELECT pg_relation_filepath('tenant') AS path";
    const { rows } = await embedded.query<{ path: string }>(sql);
    await embedded.close();
    truncateSync(join(db, rows[0]?.path ?? ""));
    await expectNamed("could not read block");
  });
});

describe("a link in the place of the database", () => {
  const elsewhere = () => `${dataDir}-elsewhere`;

  it("is followed to where the database is", async () => {
    renameSync(db, elsewhere());
    symlinkSync(elsewhere(), db);
    const database = await openDatabase({ dataDir, log: recordingLog() });
    expect(await database.client.tenant.count()).toBe(0);
    await database.close();
    rmSync(elsewhere(), { recursive: true });
  });

  it("that leads nowhere is named, and nothing is made in its place", async () => {
    rmSync(db, { recursive: true });
    symlinkSync(elsewhere(), db);
    await expectNamed("it leads nowhere");
    expect(readdirSync(dataDir).filter((name) => name.startsWith("db"))).toEqual(["db"]);
  });
});

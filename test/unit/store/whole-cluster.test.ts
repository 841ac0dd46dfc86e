import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  assertWholeCluster,
  DamagedDatabaseError,
  hasNoCluster,
} from "../../../src/store/database/damage.js";

let parent: string;
let db: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  db = join(parent, "db");
  for (const folder of ["base", "global", "pg_multixact", "pg_wal", "pg_xact"]) {
    mkdirSync(join(db, folder), { recursive: true });
  }
  writeFileSync(join(db, "PG_VERSION"), "18\n");
  writeFileSync(join(db, "postgresql.conf"), "# settings\n");
  writeFileSync(join(db, "global/pg_control"), "control");
});
afterEach(() => rmSync(parent, { recursive: true }));

const DAMAGES: Record<string, () => void> = {
  "a file in its place": () => {
    rmSync(db, { recursive: true });
    writeFileSync(db, "x");
  },
  "no PG_VERSION": () => rmSync(join(db, "PG_VERSION")),
  "an empty PG_VERSION": () => writeFileSync(join(db, "PG_VERSION"), ""),
  "another version": () => writeFileSync(join(db, "PG_VERSION"), "17\n"),
  "no pg_control": () => rmSync(join(db, "global/pg_control")),
  "an empty pg_control": () => writeFileSync(join(db, "global/pg_control"), ""),
  "no settings": () => rmSync(join(db, "postgresql.conf")),
  "no write-ahead log": () => rmSync(join(db, "pg_wal"), { recursive: true }),
  "no tables": () => rmSync(join(db, "base"), { recursive: true }),
  "a file in the place of the tables": () => {
    rmSync(join(db, "base"), { recursive: true });
    writeFileSync(join(db, "base"), "x");
  },
};

describe("a cluster, looked at from outside", () => {
  it("passes when it is whole", () => {
    expect(hasNoCluster(db)).toBe(false);
    assertWholeCluster(db);
  });

  it.each(Object.keys(DAMAGES))("is named, with what to do: %s", (name) => {
    DAMAGES[name]?.();
    // Else a new one would be made over what is left.
    expect(hasNoCluster(db)).toBe(false);
    expect(() => assertWholeCluster(db)).toThrow(DamagedDatabaseError);
    expect(() => assertWholeCluster(db)).toThrow(/restore .* from a backup/);
    expect(() => assertWholeCluster(db)).toThrow(db);
  });

  it("is yet to be made where nothing is, or an empty folder", () => {
    expect(hasNoCluster(join(parent, "nothing"))).toBe(true);
    mkdirSync(join(parent, "empty"));
    expect(hasNoCluster(join(parent, "empty"))).toBe(true);
  });
});

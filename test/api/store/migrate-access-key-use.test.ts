import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "../../../src/store/database/migrate.js";
import { copyMigrations, engines, type Opened } from "../../support/migrations.js";

const USE = /_access_key_use$/;
const TENANT = "111111111111";

describe.each(engines)(
  "a database with access keys of an earlier release, on $name",
  ({ open }) => {
    let opened: Opened;
    let directory: string;

    beforeEach(async () => {
      opened = await open();
      directory = mkdtempSync(join(tmpdir(), "patchbay-migrations-"));
    });

    afterEach(async () => {
      await opened.close();
      rmSync(directory, { recursive: true });
    });

    /** As that release does it, which knows no other columns. */
    const insert = (id: string) =>
      opened.connection.execute(`
      INSERT INTO access_key (id, tenant_id, roles, encrypted_secret)
      VALUES ('${id}', '${TENANT}', '{viewer}', '\\x00')`);

    test("keeps them, without a name and a use; and that release may go on", async () => {
      copyMigrations(USE, directory, false);
      await migrate(opened.connection, directory);
      await opened.connection.execute(`INSERT INTO tenant (id, name) VALUES ('${TENANT}', 't')`);
      await insert("AKPBBEFORE");
      copyMigrations(USE, directory, true);
      expect(await migrate(opened.connection, directory)).toEqual([expect.stringMatching(USE)]);
      await insert("AKPBAFTER");
      const rows = await opened.connection.query<Record<string, unknown>>(
        "SELECT id, name, last_used_at FROM access_key ORDER BY number",
        [],
      );
      expect(rows).toEqual([
        { id: "AKPBBEFORE", name: null, last_used_at: null },
        { id: "AKPBAFTER", name: null, last_used_at: null },
      ]);
    });
  },
);

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "../../../src/store/database/migrate.js";
import { copyMigrations, engines, type Opened } from "../../support/migrations.js";

const WITHHELD_ROUTES = /_withheld_routes$/;

/** A table with the routes that two peers have brought, of which one takes the other's traffic. */
const BEFORE = `
  INSERT INTO tenant (id, name) VALUES ('111111111111', 'one');
  INSERT INTO vpc (id, tenant_id, generation) VALUES ('vpc-v', '111111111111', 7);
  INSERT INTO route_table (id, vpc_id, main, generation) VALUES ('rtb-v', 'vpc-v', true, 7);
  INSERT INTO route (route_table_id, destination, vpc_peering_id, origin) VALUES
    ('rtb-v', '10.3.0.0/16', 'pcx-w', 'peering'), ('rtb-v', '10.3.5.0/24', 'pcx-a', 'peering');`;

describe.each(engines)("a database of before withheld routes, on $name", ({ open }) => {
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

  const ask = (sql: string) => opened.connection.query<Record<string, unknown>>(sql, []);

  test("keeps the routes that it has, and withholds none of them", async () => {
    copyMigrations(WITHHELD_ROUTES, directory, false);
    await migrate(opened.connection, directory);
    await opened.connection.execute(BEFORE);
    const routes = "SELECT destination::text, vpc_peering_id, origin FROM route ORDER BY 1";
    const before = await ask(routes);
    expect(before).toHaveLength(2);
    copyMigrations(WITHHELD_ROUTES, directory, true);
    expect(await migrate(opened.connection, directory)).toEqual([
      expect.stringMatching(WITHHELD_ROUTES),
    ]);
    expect(await ask(routes)).toEqual(before);
    expect(await ask("SELECT * FROM withheld_route")).toEqual([]);
  });

  test("loses what was withheld with its table, and takes no block with host bits", async () => {
    copyMigrations(WITHHELD_ROUTES, directory, true);
    await migrate(opened.connection, directory);
    await opened.connection.execute(BEFORE);
    const insert = (destination: string) =>
      opened.connection.execute(
        `INSERT INTO withheld_route (route_table_id, destination, vpc_peering_id)
         VALUES ('rtb-v', '${destination}', 'pcx-a')`,
      );
    await expect(insert("10.3.6.1/24")).rejects.toMatchObject({ code: "23514" });
    await insert("10.3.6.0/24");
    await opened.connection.execute("DELETE FROM vpc WHERE id = 'vpc-v'");
    expect(await ask("SELECT * FROM withheld_route")).toEqual([]);
  });
});

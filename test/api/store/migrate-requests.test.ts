import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "../../../src/store/database/migrate.js";
import { copyMigrations, engines, type Opened } from "../../support/migrations.js";

const REQUESTS = /_requests$/;
const [ONE, TWO] = ["111111111111", "222222222222"];
const ENDED = "2026-01-02 03:04:05+00";
const LATER = "2026-01-04 03:04:05+00";

interface Ended {
  readonly id: string;
  readonly state: string;
  readonly to: string;
  /** The state in which it was deleted. */
  readonly from: string;
}

const PEERINGS: readonly Ended[] = [
  { id: "pcx-withdrawn", state: "deleted", to: TWO, from: "pending-acceptance" },
  { id: "pcx-own", state: "deleted", to: ONE, from: "pending-acceptance" },
  { id: "pcx-cut", state: "deleted", to: TWO, from: "deleting" },
  { id: "pcx-rejected", state: "rejected", to: TWO, from: "pending-acceptance" },
];

describe.each(engines)("a database with withdrawn requests, on $name", ({ open }) => {
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

  test("shows them to their receivers no longer, and every other one as before", async () => {
    copyMigrations(REQUESTS, directory, false);
    await migrate(opened.connection, directory);
    for (const [number, { id, state, to, from }] of PEERINGS.entries()) {
      await opened.connection.execute(`
        INSERT INTO vpc_peering (id, state, status_message, generation, expires_at, ended_at,
          requester_tenant_id, requester_vpc_id, requester_hidden_at,
          accepter_tenant_id, accepter_vpc_id, accepter_hidden_at)
        VALUES ('${id}', '${state}', '', 1, now(), '${ENDED}',
          '${ONE}', 'vpc-a', '${LATER}', '${to}', 'vpc-b', '${LATER}')`);
      await opened.connection.execute(`
        INSERT INTO event (id, actor_kind, resource_type, resource_id, action, before, after)
        VALUES (${number + 1}, 'system', 'vpc-peering', '${id}', 'end', '${from}', '${state}')`);
    }
    copyMigrations(REQUESTS, directory, true);
    expect(await migrate(opened.connection, directory)).toEqual([expect.stringMatching(REQUESTS)]);
    const hidden = await opened.connection.query<Record<string, unknown>>(
      `SELECT id FROM vpc_peering WHERE accepter_hidden_at = '${ENDED}'`,
      [],
    );
    expect(hidden).toEqual([{ id: "pcx-withdrawn" }]);
    const asBefore = `SELECT id FROM vpc_peering WHERE requester_hidden_at = '${LATER}'`;
    expect(await opened.connection.query(asBefore, [])).toHaveLength(PEERINGS.length);
  });
});

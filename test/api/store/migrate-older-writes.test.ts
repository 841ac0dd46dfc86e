import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "../../../src/store/database/migrate.js";
import { copyMigrations, engines, type Opened } from "../../support/migrations.js";

const REPAIR = /_older_writes$/;

/** VPCs a and b, peered, as a release without route tables and groups makes them; c is whole. */
const WRITTEN = `
  INSERT INTO tenant (id, name) VALUES ('111111111111', 'one');
  INSERT INTO vpc (id, tenant_id, generation) VALUES
    ('vpc-a', '111111111111', 7), ('vpc-b', '111111111111', 8), ('vpc-c', '111111111111', 9);
  INSERT INTO vpc_cidr_block (vpc_id, block, "primary") VALUES
    ('vpc-a', '10.0.0.0/16', true), ('vpc-b', '10.1.0.0/16', true), ('vpc-c', '10.2.0.0/16', true);
  INSERT INTO subnet (id, vpc_id, block, availability_zone, generation) VALUES
    ('subnet-a', 'vpc-a', '10.0.1.0/24', 'local', 7), ('subnet-c', 'vpc-c', '10.2.1.0/24', 'local', 9);
  INSERT INTO network_interface (id, vpc_id, subnet_id, private_ip, mac_address, generation) VALUES
    ('eni-1', 'vpc-a', 'subnet-a', '10.0.1.4', '02:00:00:00:00:01', 7),
    ('eni-2', 'vpc-c', 'subnet-c', '10.2.1.4', '02:00:00:00:00:02', 9),
    ('eni-3', 'vpc-c', 'subnet-c', '10.2.1.5', '02:00:00:00:00:03', 9);
  INSERT INTO route_table (id, vpc_id, main, generation) VALUES ('rtb-c', 'vpc-c', true, 9);
  INSERT INTO security_group (id, vpc_id, name, is_default, generation) VALUES
    ('sg-c', 'vpc-c', 'default', true, 9), ('sg-own', 'vpc-c', 'own', false, 9);
  INSERT INTO group_membership (network_interface_id, group_id) VALUES ('eni-2', 'sg-own');
  INSERT INTO vpc_peering (id, state, status_message, generation, expires_at, ended_at, requester_tenant_id,
    requester_vpc_id, accepter_tenant_id, accepter_vpc_id, accepter_auto_routes) VALUES
    ('pcx-1', 'active', '', 8, now(), NULL, '111111111111', 'vpc-a', '111111111111', 'vpc-b', false),
    ('pcx-2', 'active', '', 9, now(), NULL, '111111111111', 'vpc-c', '111111111111', 'vpc-a', true),
    ('pcx-3', 'failed', '', 9, now(), '2026-01-01T00:00:00Z', '111111111111', 'vpc-b', '111111111111', 'vpc-c', true);`;

const CONTENTS = [
  "SELECT vpc_id, main, generation::int FROM route_table ORDER BY vpc_id",
  `SELECT t.vpc_id, r.destination::text, r.vpc_peering_id, r.origin
    FROM route r JOIN route_table t ON t.id = r.route_table_id ORDER BY 1, 2`,
  `SELECT g.vpc_id, g.name, g.is_default, count(r.id)::int AS rules
    FROM security_group g LEFT JOIN security_group_rule r ON r.group_id = g.id
    GROUP BY g.id ORDER BY g.vpc_id, g.name`,
  `SELECT m.network_interface_id AS eni, g.vpc_id, g.name
    FROM group_membership m JOIN security_group g ON g.id = m.group_id ORDER BY 1`,
  `SELECT id FROM vpc_peering
    WHERE requester_hidden_at IS NOT NULL AND accepter_hidden_at IS NOT NULL`,
];

describe.each(engines)(
  "what an older release wrote into a newer database, on $name",
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

    const ask = (sql: string) => opened.connection.query<Record<string, unknown>>(sql, []);
    const contents = async () => {
      const found: unknown[] = [];
      for (const sql of CONTENTS) found.push(await ask(sql));
      return found;
    };

    const whole = [
      [
        { vpc_id: "vpc-a", main: true, generation: 7 },
        { vpc_id: "vpc-b", main: true, generation: 8 },
        { vpc_id: "vpc-c", main: true, generation: 9 },
      ],
      // B's side asked for no routes, and C, whose table was there, has decided for itself.
      [
        { vpc_id: "vpc-a", destination: "10.1.0.0/16", vpc_peering_id: "pcx-1", origin: "peering" },
        { vpc_id: "vpc-a", destination: "10.2.0.0/16", vpc_peering_id: "pcx-2", origin: "peering" },
      ],
      [
        { vpc_id: "vpc-a", name: "default", is_default: true, rules: 3 },
        { vpc_id: "vpc-b", name: "default", is_default: true, rules: 3 },
        { vpc_id: "vpc-c", name: "default", is_default: true, rules: 0 },
        { vpc_id: "vpc-c", name: "own", is_default: false, rules: 0 },
      ],
      [
        { eni: "eni-1", vpc_id: "vpc-a", name: "default" },
        { eni: "eni-2", vpc_id: "vpc-c", name: "own" },
        { eni: "eni-3", vpc_id: "vpc-c", name: "default" },
      ],
      [{ id: "pcx-3" }],
    ];

    test("is completed once, and what is whole stays as it is", async () => {
      copyMigrations(REPAIR, directory, false);
      await migrate(opened.connection, directory);
      await opened.connection.execute(WRITTEN);
      copyMigrations(REPAIR, directory, true);
      expect(await migrate(opened.connection, directory)).toEqual([expect.stringMatching(REPAIR)]);
      expect(await contents()).toEqual(whole);
      const again = `DELETE FROM "_prisma_migrations" WHERE migration_name LIKE '%_older_writes'`;
      await opened.connection.execute(again);
      await migrate(opened.connection, directory);
      expect(await contents()).toEqual(whole);
    });
  },
);

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "../../../src/store/database/migrate.js";
import { copyMigrations, engines, type Opened } from "../../support/migrations.js";

const SECURITY_GROUPS = /_security_groups$/;

/** Two VPCs as they were before there were groups: one with two interfaces, one with nothing. */
const BEFORE = `
  INSERT INTO tenant (id, name) VALUES ('111111111111', 'one');
  INSERT INTO vpc (id, tenant_id, generation) VALUES
    ('vpc-a', '111111111111', 7), ('vpc-b', '111111111111', 8);
  INSERT INTO subnet (id, vpc_id, block, availability_zone, generation) VALUES
    ('subnet-a', 'vpc-a', '10.0.1.0/24', 'local', 7);
  INSERT INTO network_interface (id, vpc_id, subnet_id, private_ip, mac_address, generation) VALUES
    ('eni-1', 'vpc-a', 'subnet-a', '10.0.1.4', '02:00:00:00:00:01', 7),
    ('eni-2', 'vpc-a', 'subnet-a', '10.0.1.5', '02:00:00:00:00:02', 7);`;

describe.each(engines)("a database of before security groups, on $name", ({ open }) => {
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

  test("gets a default group for each VPC that lets in what was let in so far", async () => {
    copyMigrations(SECURITY_GROUPS, directory, false);
    await migrate(opened.connection, directory);
    await opened.connection.execute(BEFORE);
    copyMigrations(SECURITY_GROUPS, directory, true);
    expect(await migrate(opened.connection, directory)).toEqual([
      expect.stringMatching(SECURITY_GROUPS),
    ]);

    const groups = await ask("SELECT * FROM security_group ORDER BY number");
    expect(groups.map((group) => group["vpc_id"])).toEqual(["vpc-a", "vpc-b"]);
    for (const group of groups) {
      expect(group).toMatchObject({
        id: expect.stringMatching(/^sg-[0-9a-f]{17}$/),
        name: "default",
        description: "default VPC security group",
        is_default: true,
        tags: {},
      });
    }
    expect(new Set(groups.map(({ id }) => id)).size).toBe(2);
    const rules = await ask(`
      SELECT r.id, g.vpc_id, r.direction, r.protocol, r.from_port, r.to_port, r.block::text,
        r.peer_group_id = g.id AS itself, r.peer_vpc_id, r.description
      FROM security_group_rule r JOIN security_group g ON g.id = r.group_id
      ORDER BY g.number, r.direction, r.block NULLS FIRST`);
    const any = {
      id: expect.stringMatching(/^sgr-[0-9a-f]{17}$/),
      protocol: -1,
      from_port: -1,
      to_port: -1,
    };
    const anywhere = { ...any, block: "0.0.0.0/0", itself: null, peer_vpc_id: null };
    expect(rules).toEqual(
      ["vpc-a", "vpc-b"].flatMap((vpc) => [
        { ...anywhere, vpc_id: vpc, direction: "egress", description: "" },
        {
          ...any,
          vpc_id: vpc,
          direction: "ingress",
          block: null,
          itself: true,
          peer_vpc_id: vpc,
          description: "",
        },
        {
          ...anywhere,
          vpc_id: vpc,
          direction: "ingress",
          description: "Kept from the time before security groups",
        },
      ]),
    );
    expect(new Set(rules.map(({ id }) => id)).size).toBe(6);
    const members = await ask(`
      SELECT m.network_interface_id AS eni, g.vpc_id FROM group_membership m
      JOIN security_group g ON g.id = m.group_id ORDER BY 1`);
    expect(members).toEqual([
      { eni: "eni-1", vpc_id: "vpc-a" },
      { eni: "eni-2", vpc_id: "vpc-a" },
    ]);
  });

  test("that is empty gets none", async () => {
    copyMigrations(SECURITY_GROUPS, directory, true);
    await migrate(opened.connection, directory);
    expect(await ask("SELECT id FROM security_group")).toEqual([]);
  });
});

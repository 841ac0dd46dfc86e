/** VPCs in a ring, each peered with as many neighbours as it takes, and some that have no peering. */

/** VPCs without peerings, for the pairs that are measured. */
export const BARE = 20;
/** Peerings of the one VPC that has many, where there are VPCs enough. */
export const HUB_PEERINGS = 100;

const PREFIX = {
  vpc: "vpc",
  table: "rtb",
  group: "sg",
  rule: "sgr",
  subnet: "subnet",
  eni: "eni",
  peering: "pcx",
};

export const scaleId = (kind, n) => `${PREFIX[kind]}-${n.toString(16).padStart(17, "0")}`;

const id = (kind, n) => `'${PREFIX[kind]}-' || lpad(to_hex(${n}), 17, '0')`;
const block = (n) => `'10.' || (${n}) / 64 || '.' || (${n}) % 64 * 4 || '.0/22'`;

/** The number of the VPC that has many peerings; undefined where there is none. */
export const hubOf = ({ vpcs, peerings }) =>
  peerings > 0 && vpcs >= HUB_PEERINGS ? vpcs + BARE + 1 : undefined;

/** Pairs of VPCs without peerings. */
export const barePairs = ({ vpcs }) =>
  Array.from({ length: BARE / 2 }, (_, i) => [vpcs + 1 + 2 * i, vpcs + 2 + 2 * i]);

/** Pairs of the ring that are not peered: opposite ones. */
export const ringPairs = ({ vpcs }) => {
  const half = Math.floor(vpcs / 2);
  return Array.from({ length: Math.min(10, half) }, (_, i) => [1 + i, 1 + i + half]);
};

/** @param {{ vpcs: number, peerings: number, interfaces: number }} size */
export async function seedScale(db, tenantId, size) {
  const { vpcs, peerings, interfaces } = size;
  const total = hubOf(size) ?? vpcs + BARE;
  const each = Math.ceil(interfaces / vpcs);
  await seedVpcs(db, tenantId, total);
  await seedInterfaces(db, total, each);
  await seedPeerings(db, tenantId, ringSql(vpcs, peerings));
  const hub = hubOf(size);
  if (hub !== undefined) {
    const spokes = `SELECT ${hub} AS a, n AS b FROM generate_series(1, ${HUB_PEERINGS}) AS n`;
    await seedPeerings(db, tenantId, spokes);
  }
  await seedRoutes(db);
  await db.$executeRawUnsafe("ANALYZE");
}

/** VPC n with n + 1, with n + 2 and so on around the ring, until there are as many as asked for. */
function ringSql(vpcs, peerings) {
  const steps = Math.ceil(peerings / vpcs);
  return `SELECT n AS a, (n - 1 + step) % ${vpcs} + 1 AS b
    FROM generate_series(1, ${steps}) AS step, generate_series(1, ${vpcs}) AS n
    ORDER BY step, n LIMIT ${peerings}`;
}

async function seedVpcs(db, tenantId, total) {
  const all = `generate_series(1, ${total}) AS n`;
  const insert = (table, columns, select, ...values) =>
    db.$executeRawUnsafe(
      `INSERT INTO "${table}" (${columns}) SELECT ${select} FROM ${all}`,
      ...values,
    );
  await insert("vpc", `"id", "tenant_id", "generation"`, `${id("vpc", "n")}, $1, 0`, tenantId);
  const primary = `${id("vpc", "n")}, (${block("n")})::inet, true`;
  await insert("vpc_cidr_block", `"vpc_id", "block", "primary"`, primary);
  const table = `${id("table", "n")}, ${id("vpc", "n")}, true, 0`;
  await insert("route_table", `"id", "vpc_id", "main", "generation"`, table);
  const group = `${id("group", "n")}, ${id("vpc", "n")}, 'default', true, 0`;
  await insert("security_group", `"id", "vpc_id", "name", "is_default", "generation"`, group);
  const rule = `"id", "group_id", "direction", "protocol", "from_port", "to_port"`;
  const any = "-1, -1, -1";
  const egress = `${id("rule", "2 * n")}, ${id("group", "n")}, 'egress', ${any}, '0.0.0.0/0'`;
  await insert("security_group_rule", `${rule}, "block"`, egress);
  const peer = `${id("group", "n")}, ${id("vpc", "n")}`;
  const ingress = `${id("rule", "2 * n + 1")}, ${id("group", "n")}, 'ingress', ${any}, ${peer}`;
  await insert("security_group_rule", `${rule}, "peer_group_id", "peer_vpc_id"`, ingress);
}

async function seedInterfaces(db, total, each) {
  const all = `generate_series(1, ${total}) AS n`;
  await db.$executeRawUnsafe(
    `INSERT INTO "subnet" ("id", "vpc_id", "block", "availability_zone", "generation")
     SELECT ${id("subnet", "n")}, ${id("vpc", "n")}, (${block("n")})::inet, 'local', 0 FROM ${all}`,
  );
  const hex = (n) => `lpad(to_hex(${n}), 2, '0')`;
  const mac = `'02:be:' || ${hex("n / 256")} || ':' || ${hex("n % 256")} || ':' || ${hex("k / 256")} || ':' || ${hex("k % 256")}`;
  await db.$executeRawUnsafe(
    `INSERT INTO "network_interface"
       ("id", "vpc_id", "subnet_id", "private_ip", "mac_address", "generation")
     SELECT ${id("eni", "n * 1024 + k")}, ${id("vpc", "n")}, ${id("subnet", "n")},
       host((${block("n")})::inet)::inet + 9 + k, ${mac}, 0
     FROM ${all}, generate_series(1, ${each}) AS k`,
  );
  await db.$executeRawUnsafe(
    `INSERT INTO "group_membership" ("network_interface_id", "group_id")
     SELECT i."id", g."id" FROM "network_interface" i
     JOIN "security_group" g ON g."vpc_id" = i."vpc_id"`,
  );
}

/** @param {string} pairs SQL that yields the numbers of the VPCs as a and b */
async function seedPeerings(db, tenantId, pairs) {
  await db.$executeRawUnsafe(
    `INSERT INTO "vpc_peering" ("id", "state", "status_message", "generation", "expires_at",
       "requester_tenant_id", "requester_vpc_id", "requester_blocks",
       "accepter_tenant_id", "accepter_vpc_id", "accepter_blocks")
     SELECT ${id("peering", "a * 65536 + b")}, 'active', 'Active', 0, now() + interval '7 days',
       $1, ${id("vpc", "a")}, ARRAY[${block("a")}], $1, ${id("vpc", "b")}, ARRAY[${block("b")}]
     FROM (${pairs}) AS pair`,
    tenantId,
  );
}

/** The routes that come with the peerings, on both sides. */
async function seedRoutes(db) {
  for (const [own, peer] of [
    ["requester", "accepter"],
    ["accepter", "requester"],
  ]) {
    await db.$executeRawUnsafe(
      `INSERT INTO "route" ("route_table_id", "destination", "vpc_peering_id", "origin")
       SELECT t."id", b."block", p."id", 'peering' FROM "vpc_peering" p
       JOIN "route_table" t ON t."vpc_id" = p."${own}_vpc_id"
       JOIN "vpc_cidr_block" b ON b."vpc_id" = p."${peer}_vpc_id"`,
    );
  }
}

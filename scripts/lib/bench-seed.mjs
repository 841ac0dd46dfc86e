/** Rows by the thousand, written by SQL: asking the services for each would take hours. */

const PREFIX = { vpc: "vpc", routeTable: "rtb", peering: "pcx" };

/** The id of the `n`th seeded resource of a kind. */
export function seededId(kind, n) {
  return `${PREFIX[kind]}-${n.toString(16).padStart(17, "0")}`;
}

const idSql = (kind, n) => `'${PREFIX[kind]}-' || lpad(to_hex(${n}), 17, '0')`;

/** VPCs `from` to `to` of a tenant, with their blocks and main tables. Blocks: SQL, of n and j. */
export async function seedVpcs(db, { tenantId, from, to, blocks, blockSql }) {
  const numbers = `generate_series(${from}, ${to}) AS n`;
  await db.$executeRawUnsafe(
    `INSERT INTO "vpc" ("id", "tenant_id", "generation")
     SELECT ${idSql("vpc", "n")}, $1, 0 FROM ${numbers}`,
    tenantId,
  );
  await db.$executeRawUnsafe(
    `INSERT INTO "vpc_cidr_block" ("vpc_id", "block", "primary")
     SELECT ${idSql("vpc", "n")}, (${blockSql})::inet, j = 0
     FROM ${numbers}, generate_series(0, ${blocks - 1}) AS j`,
  );
  await db.$executeRawUnsafe(
    `INSERT INTO "route_table" ("id", "vpc_id", "main", "generation")
     SELECT ${idSql("routeTable", "n")}, ${idSql("vpc", "n")}, true, 0 FROM ${numbers}`,
  );
}

/**
 * Peering n from VPC n to the hub, or without one to VPC n + 1; with the routes of both sides when
 * it is active.
 */
export async function seedPeerings(db, seed) {
  const { hub, from, to, state, tenantId, peerTenantId = tenantId, step = 1 } = seed;
  const peer = hub === undefined ? idSql("vpc", "n + 1") : `'${seededId("vpc", hub)}'`;
  const blocksOf = (vpc) =>
    `ARRAY(SELECT "block"::text FROM "vpc_cidr_block" WHERE "vpc_id" = ${vpc})`;
  await db.$executeRawUnsafe(
    `INSERT INTO "vpc_peering" ("id", "state", "status_message", "generation", "expires_at",
       "requester_tenant_id", "requester_vpc_id", "requester_blocks",
       "accepter_tenant_id", "accepter_vpc_id", "accepter_blocks")
     SELECT ${idSql("peering", "n")}, $1, '', 0, now() + interval '7 days',
       $2, ${idSql("vpc", "n")}, ${blocksOf(idSql("vpc", "n"))}, $3, ${peer}, ${blocksOf(peer)}
     FROM generate_series(${from}, ${to}, ${step}) AS n`,
    ...[state, tenantId, peerTenantId],
  );
  if (state !== "active") return;
  const route = `INSERT INTO "route" ("route_table_id", "destination", "vpc_peering_id", "origin")
    SELECT t."id", b."block", p."id", 'peering' FROM "vpc_peering" p`;
  for (const [own, peer] of [
    ["requester", "accepter"],
    ["accepter", "requester"],
  ]) {
    await db.$executeRawUnsafe(
      `${route} JOIN "route_table" t ON t."vpc_id" = p."${own}_vpc_id"
       JOIN "vpc_cidr_block" b ON b."vpc_id" = p."${peer}_vpc_id"
       WHERE p."id" BETWEEN $1 AND $2`,
      ...[seededId("peering", from), seededId("peering", to)],
    );
  }
}

/**
 * Ended peerings with their VPCs gone: every `every`th was sent or received by the tenant, the rest
 * by nobody of interest.
 */
export async function seedEndedPeerings(db, { from, count, tenantId, isTheirs }) {
  const party = (role) =>
    `CASE WHEN ${isTheirs} AND n % 2 = ${role} THEN $1 ELSE '999999999999' END`;
  await db.$executeRawUnsafe(
    `INSERT INTO "vpc_peering" ("id", "state", "status_message", "generation", "expires_at",
       "requester_tenant_id", "requester_vpc_id", "accepter_tenant_id", "accepter_vpc_id",
       "requester_blocks", "accepter_blocks", "ended_at", "requester_hidden_at", "accepter_hidden_at")
     SELECT ${idSql("peering", "n")}, 'deleted', '', 0, now(),
       ${party(0)}, ${idSql("vpc", "n")}, ${party(1)}, ${idSql("vpc", "n + 1")},
       '{10.0.0.0/16}', '{10.1.0.0/16}', now(), now() + interval '2 days', now() + interval '2 days'
     FROM generate_series(${from}, ${from + count - 1}) AS n`,
    tenantId,
  );
}

export async function clear(db) {
  const tables = ["event", "vpc_peering", "vpc", "tenant"].map((table) => `"${table}"`);
  await db.$executeRawUnsafe(`TRUNCATE ${tables.join(", ")} RESTART IDENTITY CASCADE`);
}

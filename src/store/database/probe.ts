import type { Prisma, PrismaClient } from "../../generated/prisma/client.js";
import { MissingRowError } from "./missing-row.js";
import { inTransaction, limitLocks, type Tx } from "./transaction.js";

interface Table {
  readonly name: string;
  /** A row with every column that we know. */
  read(client: Tx): Promise<unknown>;
}

/** Every table, by its model: the compiler asks for those that are new. */
export const TABLES: Readonly<Record<Prisma.ModelName, Table>> = {
  Installation: { name: "installation", read: (client) => client.installation.findFirst() },
  Generation: { name: "generation", read: (client) => client.generation.findFirst() },
  Tenant: { name: "tenant", read: (client) => client.tenant.findFirst() },
  AccessKey: { name: "access_key", read: (client) => client.accessKey.findFirst() },
  Vpc: { name: "vpc", read: (client) => client.vpc.findFirst() },
  VpcCidrBlock: { name: "vpc_cidr_block", read: (client) => client.vpcCidrBlock.findFirst() },
  Subnet: { name: "subnet", read: (client) => client.subnet.findFirst() },
  RouteTable: { name: "route_table", read: (client) => client.routeTable.findFirst() },
  Route: { name: "route", read: (client) => client.route.findFirst() },
  WithheldRoute: { name: "withheld_route", read: (client) => client.withheldRoute.findFirst() },
  NetworkInterface: {
    name: "network_interface",
    read: (client) => client.networkInterface.findFirst(),
  },
  InterfaceAddress: {
    name: "interface_address",
    read: (client) => client.interfaceAddress.findFirst(),
  },
  SecurityGroup: { name: "security_group", read: (client) => client.securityGroup.findFirst() },
  SecurityGroupRule: {
    name: "security_group_rule",
    read: (client) => client.securityGroupRule.findFirst(),
  },
  GroupMembership: {
    name: "group_membership",
    read: (client) => client.groupMembership.findFirst(),
  },
  VpcPeering: { name: "vpc_peering", read: (client) => client.vpcPeering.findFirst() },
  IdempotencyKey: { name: "idempotency_key", read: (client) => client.idempotencyKey.findFirst() },
  Event: { name: "event", read: (client) => client.event.findFirst() },
  EventRemoval: { name: "event_removal", read: (client) => client.eventRemoval.findFirst() },
};

/** Less than whoever asks has patience for: that a lock is in the way is to be said. */
const LOCK_LIMIT_MS = 1000;

/** Reads from every table. @throws what whoever reads there would be told */
export async function probeReads(client: PrismaClient): Promise<void> {
  for (const { read } of Object.values(TABLES)) await read(client);
}

/**
 * Writes: to a new file on the database's disk, as nothing else tells for sure that it has room
 * left, and the row that every change writes, which is left as it was.
 * @throws what whoever changes something would be told
 */
export async function probeWrites(client: PrismaClient): Promise<void> {
  await inTransaction(client, async (tx) => {
    await assertPermitted(tx);
    await lockAll(tx);
    await tx.$queryRaw`SELECT set_config('work_mem', '64kB', true)`;
    // More rows than that holds: they go to a temporary file, beside the tables unless set otherwise.
    await tx.$queryRaw`SELECT count(*)::int FROM generate_series(1, 10000)`;
    // Last: others wait for this row.
    const rows = await tx.$executeRaw`UPDATE "generation" SET "value" = "value"`;
    if (rows === 0) throw new MissingRowError("generation");
  });
}

/** As those do who change rows. */
async function lockAll(tx: Tx): Promise<void> {
  await limitLocks(tx, LOCK_LIMIT_MS);
  const tables = Object.values(TABLES).map(({ name }) => `"${name}"`);
  await tx.$executeRawUnsafe(`LOCK TABLE ${tables.join(", ")} IN ROW EXCLUSIVE MODE`);
}

class PermissionMissingError extends Error {
  override readonly name = "PermissionMissingError";
  /** SQLSTATE: insufficient privilege. */
  readonly code = "42501";
}

async function assertPermitted(tx: Tx): Promise<void> {
  const names = Object.values(TABLES).map(({ name }) => name);
  const denied = await tx.$queryRaw<Array<{ name: string }>>`
    SELECT "name" FROM unnest(${names}::text[]) AS "name"
    WHERE NOT (has_table_privilege("name", 'INSERT') AND has_table_privilege("name", 'UPDATE')
      AND has_table_privilege("name", 'DELETE'))
    UNION ALL SELECT "sequencename" FROM "pg_sequences"
    WHERE "schemaname" = 'public'
      AND NOT has_sequence_privilege("sequencename", 'USAGE, UPDATE')`;
  if (denied.length === 0) return;
  const tables = denied.map(({ name }) => name).join(", ");
  throw new PermissionMissingError(`permission to change is missing: ${tables}`);
}

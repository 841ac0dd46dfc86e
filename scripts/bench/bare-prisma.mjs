import { newId } from "../../dist/domain/ids.js";
import { openDatabase } from "../../dist/store/database/open.js";

const SILENT = { info() {}, warn() {}, error() {} };
const TENANT = "100000000001";
/** As the daemon's: embedded, all transactions share one connection. */
const PATIENT = { maxWait: 20_000, timeout: 15_000 };

/**
 * What creating a VPC inserts, by nothing but Prisma.
 * @param {import("../lib/bench-postgres.mjs").BenchDatabase} place
 * @returns {Promise<() => Promise<void>>} makes one
 */
export async function openBarePrisma({ databaseUrl, dataDir }, undo) {
  const database = await openDatabase({ databaseUrl, dataDir, log: SILENT });
  undo.add(() => database.close());
  const { client } = database;
  await client.tenant.create({ data: { id: TENANT, name: "bench" } });
  return () => client.$transaction(insertVpc, PATIENT);
}

async function insertVpc(tx) {
  const { value: generation } = await tx.generation.update({
    where: { singleton: true },
    data: { value: { increment: 1 } },
  });
  const vpcId = newId("vpc");
  await tx.event.create({ data: eventOf(generation, vpcId) });
  const blocks = { create: { block: "10.0.0.0/16", primary: true } };
  await tx.vpc.create({ data: { id: vpcId, tenantId: TENANT, generation, blocks } });
  await tx.routeTable.create({
    data: { id: newId("routeTable"), vpcId, main: true, generation },
  });
  await tx.securityGroup.create({ data: groupOf(generation, vpcId) });
}

function eventOf(generation, vpcId) {
  return {
    id: generation,
    actorKind: "tenant",
    actorTenantId: TENANT,
    resourceType: "vpc",
    resourceId: vpcId,
    action: "create",
    after: "available",
    tenantId: TENANT,
  };
}

/** The default group: its members may talk to one another, and to everybody. */
function groupOf(generation, vpcId) {
  const id = newId("securityGroup");
  const anything = { protocol: -1, fromPort: -1, toPort: -1 };
  const fromMembers = { ...anything, direction: "ingress", peerGroupId: id, peerVpcId: vpcId };
  const toAll = { ...anything, direction: "egress", block: "0.0.0.0/0" };
  const rules = [fromMembers, toAll].map((rule) => ({ id: newId("securityGroupRule"), ...rule }));
  return {
    ...{ id, vpcId, generation, name: "default", description: "default", isDefault: true },
    rules: { create: rules },
  };
}

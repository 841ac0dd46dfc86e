import { inTransaction, type Tx } from "../../../src/store/database/transaction.js";
import { TENANTS, type Tenant } from "./operations.js";
import type { World } from "./world.js";

/** Everything stored, as of one moment, as the tables have it. */
export type Snapshot = Awaited<ReturnType<typeof readTables>>;

export async function takeSnapshot({ context }: World): Promise<Snapshot> {
  return inTransaction(context.db, readTables, { isolationLevel: "RepeatableRead" });
}

async function readTables(tx: Tx) {
  const byNumber = { orderBy: { number: "asc" } } as const;
  return {
    generation: Number((await tx.generation.findFirstOrThrow()).value),
    vpcs: await tx.vpc.findMany({
      ...byNumber,
      include: { blocks: { orderBy: { primary: "desc" } } },
    }),
    tables: await tx.routeTable.findMany({
      ...byNumber,
      include: { routes: true, withheld: true },
    }),
    subnets: await tx.subnet.findMany(byNumber),
    peerings: await tx.vpcPeering.findMany(byNumber),
    events: await tx.event.findMany({ orderBy: { id: "asc" } }),
  };
}

export type StoredVpc = Snapshot["vpcs"][number];
export type StoredPeering = Snapshot["peerings"][number];
export type StoredEvent = Snapshot["events"][number];

export function blocksOf(vpc: StoredVpc | undefined): string[] {
  return (vpc?.blocks ?? []).map(({ block }) => block);
}

export function tenantNames({ principals }: World): ReadonlyMap<string | null, Tenant> {
  return new Map(TENANTS.map((name) => [principals[name].tenantId, name]));
}

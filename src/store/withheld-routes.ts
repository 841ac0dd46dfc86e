import { type Cidr, formatCidr } from "../domain/cidr.js";
import { inChunks } from "./chunks.js";
import type { Tx } from "./database/transaction.js";
import { storedBlock } from "./stored-addresses.js";

export interface NewWithheldRoute {
  readonly routeTableId: string;
  readonly destination: Cidr;
  readonly vpcPeeringId: string;
  /** Null: the table was full. */
  readonly contestedBy: string | null;
}

export async function insertWithheldRoutes(
  tx: Tx,
  routes: readonly NewWithheldRoute[],
): Promise<void> {
  await inChunks(routes, async (some) => {
    const data = some.map((route) => ({ ...route, destination: formatCidr(route.destination) }));
    await tx.withheldRoute.createMany({ data });
    return [];
  });
}

/** What was withheld has been added by its owner. */
export async function removeWithheldRoute(
  tx: Tx,
  routeTableId: string,
  destination: Cidr,
  vpcPeeringId: string,
): Promise<void> {
  const where = { routeTableId, destination: formatCidr(destination), vpcPeeringId };
  await tx.withheldRoute.deleteMany({ where });
}

/** Those of all tables of these VPCs. */
export async function findWithheldRoutes(
  client: Tx,
  vpcIds: readonly string[],
): Promise<NewWithheldRoute[]> {
  const rows = await inChunks(vpcIds, (some) =>
    client.withheldRoute.findMany({
      where: { table: { vpcId: { in: some } } },
      orderBy: [{ destination: "asc" }, { createdAt: "asc" }, { vpcPeeringId: "asc" }],
    }),
  );
  return rows.map(({ createdAt: _, ...row }) => {
    return { ...row, destination: storedBlock(row.destination) };
  });
}

import { formatIp, type Ip } from "../domain/cidr.js";
import type { Tx } from "./database/transaction.js";

export interface FoundInterface {
  readonly id: string;
  readonly vpcId: string;
}

/** More than one tells as much as all of them. */
const ENOUGH = 10;

/** The interfaces of a tenant (null: of all), or of one VPC, that have an address. */
export async function findInterfacesByAddress(
  client: Tx,
  { tenantId, vpcId, ip }: { tenantId: string | null; vpcId?: string | undefined; ip: Ip },
): Promise<FoundInterface[]> {
  return client.networkInterface.findMany({
    where: {
      privateIp: formatIp(ip),
      ...(tenantId !== null && { vpc: { tenantId } }),
      ...(vpcId !== undefined && { vpcId }),
    },
    select: { id: true, vpcId: true },
    orderBy: { number: "asc" },
    take: ENOUGH,
  });
}

import type { Page } from "../domain/resources.js";
import type { Tx } from "./database/transaction.js";
import { inVpcOf, ownedBy } from "./visibility.js";

/** In what the items of a list are to be. */
export interface ListParents {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly vpcId?: string | undefined;
  readonly subnetId?: string | undefined;
  readonly securityGroupId?: string | undefined;
}

export const NOTHING: Page<never> = { items: [], next: null };

/**
 * Whether all of these are the tenant's. To be asked before the list is read: PostgreSQL may walk
 * through all that is in somebody else's VPC before it finds that none of it is the caller's, and how
 * long that takes would tell it from what is nobody's.
 */
export async function ownsParents(client: Tx, parents: ListParents): Promise<boolean> {
  const { tenantId, vpcId, subnetId, securityGroupId: groupId } = parents;
  if (tenantId === null) return true;
  const inOwnVpc = (id: string) => ({ where: { id, ...inVpcOf(tenantId) }, select });
  const vpc = (id: string) => ({ where: { id, ...ownedBy(tenantId) }, select });
  return (
    (vpcId === undefined || isFound(await client.vpc.findUnique(vpc(vpcId)))) &&
    (subnetId === undefined || isFound(await client.subnet.findUnique(inOwnVpc(subnetId)))) &&
    (groupId === undefined || isFound(await client.securityGroup.findUnique(inOwnVpc(groupId))))
  );
}

const select = { id: true };

function isFound(row: { readonly id: string } | null): boolean {
  return row !== null;
}

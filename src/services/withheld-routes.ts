import { formatCidr } from "../domain/cidr.js";
import { SYSTEM } from "../domain/resources.js";
import { type Change, recordChanges } from "../store/change.js";
import type { Tx } from "../store/database/transaction.js";
import { insertWithheldRoutes, type NewWithheldRoute } from "../store/withheld-routes.js";

/** A route that was withheld, and whose table it would have come to. */
export interface Withheld extends NewWithheldRoute {
  readonly tenantId: string;
}

/**
 * Stores what was withheld and tells the owners of the tables, and nobody else: the other side is
 * not to learn where they route. To be called after the change that would have brought the routes.
 */
export async function recordWithheld(tx: Tx, withheld: readonly Withheld[]): Promise<void> {
  if (withheld.length === 0) return;
  await insertWithheldRoutes(
    tx,
    withheld.map(({ tenantId: _, ...route }) => route),
  );
  await recordChanges(tx, withheld.map(withheldChange));
}

function withheldChange({ tenantId, routeTableId, destination, vpcPeeringId }: Withheld): Change {
  return {
    actor: SYSTEM,
    resourceType: "route",
    resourceId: routeTableId,
    action: "withheld",
    before: null,
    after: `${formatCidr(destination)} to ${vpcPeeringId}`,
    tenantId,
  };
}

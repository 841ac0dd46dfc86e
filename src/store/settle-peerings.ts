import type { PeeringState } from "../domain/lifecycle.js";
import { SYSTEM } from "../domain/resources.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { recordChange } from "./change.js";
import { inTransaction, type Tx } from "./database/transaction.js";
import { toPeering, transitionPeering } from "./vpc-peerings.js";
import { lockVpcRows } from "./vpcs.js";

interface Settlement {
  readonly from: PeeringState;
  readonly to: PeeringState;
  readonly action: string;
  readonly statusMessage: string;
}

const ACTIVATED: Settlement = {
  from: "provisioning",
  to: "active",
  action: "activate",
  statusMessage: "Active",
};
const CUT: Settlement = {
  from: "deleting",
  to: "deleted",
  action: "finish-delete",
  statusMessage: "Deleted",
};

/** Ids of peerings that the switch has confirmed, and of the VPCs at their ends. */
export interface Confirmed {
  readonly installed: readonly string[];
  readonly removed: readonly string[];
  readonly vpcIds: readonly string[];
}

/**
 * Writes back what the switch has confirmed. A peering that has moved on since its flows were
 * planned is left alone: it is dirty again and another confirmation follows.
 */
export async function settlePeerings(
  db: PrismaClient,
  confirmed: Confirmed,
  at: Date,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockVpcRows(tx, confirmed.vpcIds);
    for (const id of confirmed.installed) await settle(tx, id, ACTIVATED, at);
    for (const id of confirmed.removed) await settle(tx, id, CUT, at);
  });
}

async function settle(tx: Tx, id: string, settlement: Settlement, at: Date): Promise<void> {
  const { from, to, action, statusMessage } = settlement;
  const row = await tx.vpcPeering.findFirst({ where: { id, state: from } });
  if (row === null) return;
  const peering = toPeering(row);
  const tenantId = peering.requester.tenantId;
  const accepterTenantId = peering.accepter.tenantId;
  await recordChange(tx, {
    actor: SYSTEM,
    resourceType: "vpc-peering",
    resourceId: id,
    action,
    before: from,
    after: to,
    tenantId,
    otherTenantId: accepterTenantId === tenantId ? undefined : accepterTenantId,
  });
  // What is wanted of the switch has not changed, and it has just followed: the generation stays.
  const { generation } = peering;
  await transitionPeering(tx, peering, { to, statusMessage, at, generation });
}

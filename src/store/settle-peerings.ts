import type { PeeringState } from "../domain/lifecycle.js";
import { SYSTEM, type VpcPeering } from "../domain/resources.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { type Failed, togetherOrApart } from "./apart.js";
import { type Change, recordChanges } from "./change.js";
import { inTransaction, limitLocks, type Tx } from "./database/transaction.js";
import { settleStates } from "./peering-transitions.js";
import { findPeeringsIn } from "./vpc-peerings.js";
import { lockEndsOf } from "./vpcs.js";

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

/** Ids of peerings that the switch has confirmed. */
export interface Confirmed {
  readonly installed: readonly string[];
  readonly removed: readonly string[];
}

/** Others wait for what comes after: a row that somebody holds is tried again with the next pass. */
const LOCK_LIMIT_MS = 1000;

/**
 * Writes back what the switch has confirmed. A peering that has moved on since its flows were
 * planned is left alone: it is dirty again and another confirmation follows.
 * @returns those that could not be written back, which keep no other from it
 */
export async function settlePeerings(
  db: PrismaClient,
  { installed, removed }: Confirmed,
  at: Date,
): Promise<Array<Failed<string>>> {
  const present = new Set(installed);
  return togetherOrApart([...installed, ...removed], (ids) =>
    inTransaction(db, async (tx) => {
      await limitLocks(tx, LOCK_LIMIT_MS);
      await lockEndsOf(tx, ids);
      await settle(
        tx,
        ids.filter((id) => present.has(id)),
        ACTIVATED,
        at,
      );
      await settle(
        tx,
        ids.filter((id) => !present.has(id)),
        CUT,
        at,
      );
    }),
  );
}

/** A fixed number of statements, however many there are: a burst of accepts settles at once. */
async function settle(
  tx: Tx,
  ids: readonly string[],
  { from, to, action, statusMessage }: Settlement,
  at: Date,
): Promise<void> {
  const peerings = await findPeeringsIn(tx, ids, from);
  if (peerings.length === 0) return;
  const changes = peerings.map((peering) => peeringChange(peering, action, to));
  await recordChanges(tx, changes);
  // What is wanted of the switch has not changed, and it has just followed: generations stay.
  await settleStates(tx, peerings, { to, statusMessage, at });
}

function peeringChange(
  { id, state, requester, accepter }: VpcPeering,
  action: string,
  to: PeeringState,
): Change {
  const { tenantId } = requester;
  const otherTenantId = accepter.tenantId === tenantId ? undefined : accepter.tenantId;
  const resource = { resourceType: "vpc-peering", resourceId: id } as const;
  return { actor: SYSTEM, ...resource, action, before: state, after: to, tenantId, otherTenantId };
}

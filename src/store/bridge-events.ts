import { SYSTEM } from "../domain/resources.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { type Change, recordChanges } from "./change.js";
import { inTransaction } from "./database/transaction.js";

/** Something that the daemon has seen or done on a bridge. */
export interface BridgeEvent {
  readonly bridge: string;
  readonly action: "repair" | `foreign-${"flows" | "settings"}-${"appear" | "vanish"}`;
  readonly before: string | null;
  readonly after: string | null;
}

/** Records what concerns no tenant: only the operator sees it. All or nothing. */
export async function recordBridgeEvents(
  db: PrismaClient,
  events: readonly BridgeEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await inTransaction(db, (tx) => recordChanges(tx, events.map(bridgeChange)));
}

function bridgeChange({ bridge, ...event }: BridgeEvent): Change {
  return { actor: SYSTEM, resourceType: "bridge", resourceId: bridge, ...event, tenantId: null };
}

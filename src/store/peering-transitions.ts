import { type Cidr, formatCidr } from "../domain/cidr.js";
import { isTerminal, type PeeringState } from "../domain/lifecycle.js";
import type { VpcPeering } from "../domain/resources.js";
import { retentionOf } from "../domain/retention.js";
import { inChunks } from "./chunks.js";
import type { Tx } from "./database/transaction.js";
import { toPeering } from "./vpc-peerings.js";

export interface Transition {
  readonly to: PeeringState;
  readonly statusMessage: string;
  readonly at: Date;
  readonly generation: number;
  /** The tenant whose call ended the peering. */
  readonly endedByTenantId?: string | undefined;
  readonly acceptance?: {
    readonly autoRoutes: boolean;
    readonly blocks: readonly Cidr[];
  };
}

/** Moves a peering on, when it still is where it was thought to be. */
export async function transitionPeering(
  tx: Tx,
  peering: VpcPeering,
  move: Transition,
): Promise<VpcPeering | null> {
  const [row] = await tx.vpcPeering.updateManyAndReturn({
    where: { id: peering.id, state: peering.state },
    data: {
      ...stateData(peering, move),
      generation: move.generation,
      ...(move.acceptance !== undefined && {
        accepterAutoRoutes: move.acceptance.autoRoutes,
        accepterBlocks: move.acceptance.blocks.map(formatCidr),
      }),
      ...(move.endedByTenantId !== undefined && {
        endedByTenantId: move.endedByTenantId,
      }),
    },
  });
  return row === undefined ? null : toPeering(row);
}

/**
 * Moves peerings on whose VPCs the caller has locked, all from where they are to the same state, and
 * leaves their generations. One statement for all that end alike.
 */
export async function settleStates(
  tx: Tx,
  peerings: readonly VpcPeering[],
  move: Pick<Transition, "to" | "statusMessage" | "at">,
): Promise<void> {
  const alike = new Map<string, VpcPeering[]>();
  for (const peering of peerings) {
    const key = isTerminal(move.to) ? JSON.stringify(hiding(peering, move)) : "";
    const others = alike.get(key);
    if (others === undefined) alike.set(key, [peering]);
    else others.push(peering);
  }
  for (const [first, ...others] of alike.values()) {
    if (first === undefined) continue;
    const ids = [first, ...others].map(({ id }) => id);
    const data = stateData(first, move);
    await inChunks(ids, async (some) => {
      await tx.vpcPeering.updateMany({ where: { id: { in: some }, state: first.state }, data });
      return [];
    });
  }
}

/** What a move to a state sets besides the generation. */
function stateData(peering: VpcPeering, move: Omit<Transition, "generation">) {
  return {
    state: move.to,
    statusMessage: move.statusMessage,
    ...(move.to === "active" && { activatedAt: move.at }),
    ...(isTerminal(move.to) && { endedAt: move.at, ...hiding(peering, move) }),
  };
}

/** When each side stops seeing a peering that ends now. */
function hiding(peering: VpcPeering, { to, at, endedByTenantId }: Omit<Transition, "generation">) {
  const by = endedByTenantId ?? peering.endedByTenantId;
  const { requesterMs, accepterMs } = retentionOf(to, {
    requester: by === peering.requester.tenantId,
    accepter: by === peering.accepter.tenantId,
    withdrawn: to === "deleted" && peering.state === "pending-acceptance",
  });
  return {
    requesterHiddenAt: new Date(at.getTime() + requesterMs),
    accepterHiddenAt: new Date(at.getTime() + accepterMs),
  };
}

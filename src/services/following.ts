import type { DataPlaneStatus, DataPlaneView, Settlements } from "../domain/data-plane.js";
import type { Principal } from "../domain/principal.js";
import { aside } from "../domain/turn.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { findVpcGenerations } from "../store/vpcs.js";

/** Whether the switch does by now what was asked for, or there is none. */
export function isConfirmed({ state }: DataPlaneStatus): boolean {
  return state === "programmed" || state === "noop";
}

export interface FollowingDeps {
  readonly db: PrismaClient;
  readonly view: Pick<DataPlaneView, "status" | "removal">;
  readonly settlements: Settlements;
}

/** How far the switch has followed what one call has changed. */
export class Following {
  readonly #deps: FollowingDeps;
  readonly #caller: Principal;
  readonly #limitMs: number;
  #status: DataPlaneStatus | undefined;

  /** @param limitMs how long the call may be held back */
  constructor(deps: FollowingDeps, caller: Principal, limitMs: number) {
    this.#deps = deps;
    this.#caller = caller;
    this.#limitMs = limitMs;
  }

  /** When the wait ended; undefined when the call has changed nothing on the switch. */
  get status(): DataPlaneStatus | undefined {
    return this.#status;
  }

  /**
   * Waits until each of these VPCs has been made what it is now, or the time is over.
   * @param removedAt when those were removed that are gone; others may have done so meanwhile
   */
  async until(vpcIds: readonly string[], removedAt = 0): Promise<void> {
    const deadline = performance.now() + this.#limitMs;
    const { db, settlements } = this.#deps;
    const touched = await findVpcGenerations(db, vpcIds);
    const statusOf = (id: string) => this.#statusOf(id, touched.get(id), removedAt);
    for (;;) {
      const behind = vpcIds.find((id) => !isConfirmed(statusOf(id)));
      const shown = behind ?? vpcIds[0];
      if (shown !== undefined) this.#status = statusOf(shown);
      const remainingMs = deadline - performance.now();
      if (behind === undefined || remainingMs <= 0 || settlements.closed) return;
      await aside(this.#caller, () => settlements.next(behind, remainingMs));
    }
  }

  #statusOf(vpcId: string, generation: number | undefined, removedAt: number): DataPlaneStatus {
    const { view } = this.#deps;
    if (generation === undefined) return view.removal(vpcId, removedAt);
    return view.status([vpcId], generation);
  }
}

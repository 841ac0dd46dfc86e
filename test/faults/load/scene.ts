import type { Ledger } from "../ledger.js";
import type { Random } from "../random.js";
import type { Windows } from "../windows.js";
import type { World } from "../world.js";
import type { PeeringSlot } from "./peering-slot.js";

/** What the actions of the load work on. */
export interface Scene {
  readonly world: World;
  readonly ledger: Ledger;
  readonly windows: Windows;
  /** One for every two sites. */
  readonly slots: readonly PeeringSlot[];
}

/**
 * One thing that tenants do now and then.
 * @param random of the worker that does it
 */
export interface Action {
  readonly weight: number;
  run(random: Random): Promise<void>;
}

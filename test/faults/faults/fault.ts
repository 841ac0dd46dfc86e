import type { Scene } from "../load/scene.js";
import type { Random } from "../random.js";
import type { DatabaseKind, World } from "../world.js";

export interface Circumstances {
  readonly world: World;
  readonly scene: Scene;
  readonly random: Random;
}

/** Ends what was begun; resolves when the part that was hit is back. */
export type Heal = () => Promise<void>;

/** One kind of fault. */
export interface Fault {
  readonly kind: string;
  /** Both, unless given. */
  readonly databases?: readonly DatabaseKind[];
  /** Whether it may turn out otherwise on each database, though neither is what it hits. */
  readonly dependsOnDatabase?: boolean;
  /** How long it holds, in milliseconds: drawn between these. */
  readonly holds: readonly [number, number];
  /** Pairs that should talk talk again so long after it has ended. */
  readonly recoveryLimitMs: number;
  /** Whether the daemon may be killed on top of it. */
  readonly alone?: boolean;
  strike(circumstances: Circumstances): Promise<Heal>;
}

export const nothingToHeal: Heal = async () => undefined;

/** After the part that was hit is back. */
export const RECOVERY_MS = 5_000;
/** After flows were changed by hand: the switch tells, and they are repaired at once. */
export const REPAIR_MS = 2_000;

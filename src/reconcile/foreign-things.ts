import type { PlannedBridge } from "../backends/backend.js";

/** What of others' is on a bridge: flows, or settings, as text. */
export type ForeignFindings = Pick<PlannedBridge, "bridge" | "vpcId" | "unread"> & {
  readonly foreign: readonly string[];
};

/** What of somebody else's was not on one of our bridges before, or is there no more. */
export interface ForeignNews {
  readonly bridge: string;
  readonly appeared: readonly string[];
  readonly vanished: readonly string[];
}

/** Remembers what has been told of, so that each is told of once. */
export class ForeignThings {
  readonly #known = new Map<string, ReadonlySet<string>>();

  /** How many there are at present. */
  get count(): number {
    return [...this.#known.values()].reduce((sum, things) => sum + things.size, 0);
  }

  /** @param exchange the name of the exchange: another bridge without a VPC is about to go */
  note(diffs: readonly ForeignFindings[], exchange: string): ForeignNews[] {
    return diffs.flatMap((found) => {
      const { bridge, vpcId } = found;
      const isGoing = vpcId === null && bridge !== exchange;
      // What could not be looked at may be there as before.
      if (found.unread && !isGoing) return [];
      const before = this.#known.get(bridge) ?? NONE;
      const now = new Set(isGoing ? [] : found.foreign);
      if (now.size > 0) this.#known.set(bridge, now);
      else this.#known.delete(bridge);
      const appeared = [...now].filter((thing) => !before.has(thing));
      const vanished = [...before].filter((thing) => !now.has(thing));
      return appeared.length + vanished.length > 0 ? [{ bridge, appeared, vanished }] : [];
    });
  }
}

const NONE: ReadonlySet<string> = new Set();

import type { PlannedBridge } from "../backends/backend.js";

/** Flows of somebody else on one of our bridges that were not there before, or are there no more. */
export interface ForeignNews {
  readonly bridge: string;
  readonly appeared: readonly string[];
  readonly vanished: readonly string[];
}

/** Remembers which foreign flows have been told of, so that each is told of once. */
export class ForeignFlows {
  readonly #known = new Map<string, ReadonlySet<string>>();

  /** How many there are at present. */
  get count(): number {
    return [...this.#known.values()].reduce((sum, flows) => sum + flows.size, 0);
  }

  /** @param exchange the name of the exchange: another bridge without a VPC is about to go */
  note(diffs: readonly PlannedBridge[], exchange: string): ForeignNews[] {
    return diffs.flatMap(({ bridge, vpcId, foreign }) => {
      const isGoing = vpcId === null && bridge !== exchange;
      const before = this.#known.get(bridge) ?? NONE;
      const now = new Set(isGoing ? [] : foreign);
      if (now.size > 0) this.#known.set(bridge, now);
      else this.#known.delete(bridge);
      const appeared = [...now].filter((flow) => !before.has(flow));
      const vanished = [...before].filter((flow) => !now.has(flow));
      return appeared.length + vanished.length > 0 ? [{ bridge, appeared, vanished }] : [];
    });
  }
}

const NONE: ReadonlySet<string> = new Set();

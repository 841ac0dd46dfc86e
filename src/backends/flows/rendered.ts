import type { IntentSlice } from "../../domain/intent.js";
import { PartCache } from "../../pipeline/vpc-bridge.js";
import { isGone } from "./desired.js";

/** What was rendered for each VPC the last time, so that only what has changed is rendered anew. */
export class RenderedBridges {
  readonly #caches = new Map<string, PartCache>();

  of(vpcId: string): PartCache {
    const cache = this.#caches.get(vpcId) ?? new PartCache();
    this.#caches.set(vpcId, cache);
    return cache;
  }

  forgetGone(slice: IntentSlice): void {
    for (const vpcId of slice.scope === "all" ? [...this.#caches.keys()] : slice.scope) {
      if (isGone(slice, vpcId)) this.#caches.delete(vpcId);
    }
  }
}

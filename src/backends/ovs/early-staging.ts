import type { FlowDelta } from "../../openflow/delta.js";
import type { StagedChange } from "./bundle.js";

/**
 * What a bridge will most likely be given, staged while something else has to be done first. Whether
 * it is right shows only afterwards; where it is not, it is discarded.
 */
export class EarlyStaging {
  readonly #delta: FlowDelta;
  readonly #staged: Promise<StagedChange>;

  constructor(delta: FlowDelta, staged: Promise<StagedChange>) {
    this.#delta = delta;
    this.#staged = staged;
    // Whoever takes it is told; nobody may want it.
    staged.catch(() => undefined);
  }

  /** @param part of what was staged. @returns undefined when it is not all of it */
  take(part: FlowDelta): Promise<StagedChange> | undefined {
    return sizeOf(part) === sizeOf(this.#delta) ? this.#staged : undefined;
  }

  /** Does nothing once it was committed. */
  discard(): void {
    this.#staged.then(
      (staged) => staged.discard(),
      () => undefined,
    );
  }
}

function sizeOf({ missing, changed, unexpected }: FlowDelta): number {
  return missing.length + changed.length + unexpected.length;
}

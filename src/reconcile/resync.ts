import { type Backend, BackendError } from "../backends/backend.js";
import type { Work } from "./dirty-set.js";

export interface ResyncDeps {
  readonly backend: Pick<Backend, "readings">;
  /** Runs work while nothing else is planned or applied. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  isStopped(): boolean;
}

/**
 * Reads the whole switch, a few bridges at a time: in between, what tenants do takes its turn. With
 * hundreds of bridges they would wait for seconds otherwise.
 * @returns the work that is left: to compare with intent what was read
 */
export async function readAhead({ backend, inTurn, isStopped }: ResyncDeps): Promise<Work> {
  try {
    for (const read of backend.readings()) {
      if (!isStopped()) await inTurn(read);
    }
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    // Whoever does the work that is left finds the same, and it is told and tried again there.
    return { scope: "all", fresh: true };
  }
  return { scope: "all", fresh: true, isRead: true };
}

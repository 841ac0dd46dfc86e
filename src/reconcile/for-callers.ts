import { BackendError } from "../backends/backend.js";
import type { BridgeDiff } from "../domain/data-plane.js";
import { DomainError } from "../domain/errors.js";

/** What a report shows of a bridge. */
export function reportedDiff(diff: BridgeDiff): BridgeDiff {
  const { bridge, missing, changed, unexpected, foreign, settings, error } = diff;
  return { bridge, missing, changed, unexpected, foreign, settings, error };
}

/** An operator who asks directly is told what is wrong with the switch. */
export function asCallerError(error: unknown): unknown {
  if (!(error instanceof BackendError)) return error;
  return new DomainError("ServiceUnavailable", error.message, { cause: error });
}

/**
 * What was read of the switch for somebody who may not be told of the host.
 * @throws DomainError `ServiceUnavailable` with `trouble` when the switch cannot be read
 */
export async function readForCaller<T>(reading: Promise<T>, trouble: string): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    throw new DomainError("ServiceUnavailable", trouble, { cause: error });
  }
}

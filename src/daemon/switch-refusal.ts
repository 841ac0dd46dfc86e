import type { FenceState } from "../domain/data-plane.js";
import { DomainError } from "../domain/errors.js";

/**
 * Who does not hold the switch takes in no changes: nothing would come of them, and its database may
 * be an old copy of that in which they belong. Worded for tenants: where the other one is is shown
 * to the operator.
 */
export function switchRefusal({ kind }: FenceState): DomainError | undefined {
  if (kind !== "another") return undefined;
  const message =
    "Another daemon of this installation works on the switch, and takes in changes. This one answers reads only.";
  return new DomainError("SwitchHeldByAnother", message);
}

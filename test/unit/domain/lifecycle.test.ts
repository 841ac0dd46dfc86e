import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.js";
import {
  isTerminal,
  judgeAction,
  LIVE_STATES,
  PEERING_STATES,
  type PeeringAction,
  type PeeringRole,
  type PeeringState,
} from "../../../src/domain/lifecycle.js";

type Answer = "legal" | "already-done" | "InvalidStateTransition" | "Forbidden";

function answer(action: PeeringAction, state: PeeringState, role: PeeringRole): Answer {
  try {
    return judgeAction(action, state, role);
  } catch (error) {
    if (error instanceof DomainError) return error.code as Answer;
    throw error;
  }
}

/** The contract, written out once more by hand: everything that is not here is a conflict. */
const EXPECTED: Record<string, Answer> = {
  "accept pending-acceptance accepter": "legal",
  "accept provisioning accepter": "already-done",
  "accept active accepter": "already-done",
  "reject pending-acceptance accepter": "legal",
  "delete pending-acceptance requester": "legal",
  "delete provisioning requester": "legal",
  "delete provisioning accepter": "legal",
  "delete active requester": "legal",
  "delete active accepter": "legal",
};

describe("the lifecycle of a peering", () => {
  for (const action of ["accept", "reject", "delete"] as const) {
    for (const state of PEERING_STATES) {
      for (const role of ["requester", "accepter"] as const) {
        const never = role === "requester" && action !== "delete";
        const name = `${action} ${state} ${role}`;
        const expected = EXPECTED[name] ?? (never ? "Forbidden" : "InvalidStateTransition");
        it(`${name}: ${expected}`, () => expect(answer(action, state, role)).toBe(expected));
      }
    }
  }

  it("says what was attempted", () => {
    expect(() => judgeAction("accept", "rejected", "accepter")).toThrow(
      "attempted to transition from rejected to active",
    );
    expect(() => judgeAction("delete", "expired", "requester")).toThrow(
      "attempted to transition from expired to deleted",
    );
  });

  it("never lets a live or pending peering count as ended", () => {
    const open = PEERING_STATES.filter((state) => !isTerminal(state));
    expect(open).toEqual(["pending-acceptance", "provisioning", "active", "deleting"]);
    expect(LIVE_STATES.some(isTerminal)).toBe(false);
  });
});

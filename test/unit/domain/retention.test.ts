import { expect, it } from "vitest";
import { isTerminal, PEERING_STATES } from "../../../src/domain/lifecycle.js";
import { REQUESTS_COUNTED_MS } from "../../../src/domain/quotas.js";
import { retentionOf } from "../../../src/domain/retention.js";

const HOUR = 3_600_000;
const NOBODY = { requester: false, accepter: false };
const REQUESTER = { requester: true, accepter: false };
const ACCEPTER = { requester: false, accepter: true };
const BOTH = { requester: true, accepter: true };

it.each([
  ["rejected", ACCEPTER, 48, 2],
  ["expired", NOBODY, 48, 48],
  ["failed", NOBODY, 2, 2],
  ["deleted", REQUESTER, 2, 48],
  ["deleted", ACCEPTER, 48, 2],
  ["deleted", BOTH, 2, 2],
  ["deleted", { ...REQUESTER, withdrawn: true }, 2, 0],
  ["deleted", { ...BOTH, withdrawn: true }, 2, 2],
] as const)("%s, ended by %j: %i h for the requester, %i h for the accepter", (...row) => {
  const [state, ended, requester, accepter] = row;
  const expected = { requesterMs: requester * HOUR, accepterMs: accepter * HOUR };
  expect(retentionOf(state, ended)).toEqual(expected);
});

it("keeps every request for its sender for as long as it counts, however it ends", () => {
  for (const state of PEERING_STATES.filter(isTerminal)) {
    for (const by of [NOBODY, REQUESTER, ACCEPTER, BOTH]) {
      for (const withdrawn of [false, true]) {
        const { requesterMs } = retentionOf(state, { ...by, withdrawn });
        expect(requesterMs).toBeGreaterThan(REQUESTS_COUNTED_MS);
      }
    }
  }
});

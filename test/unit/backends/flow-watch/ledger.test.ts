import { expect, it } from "vitest";
import { Ledger } from "../../../../src/backends/ovs/flow-watch/ledger.js";
import type { FlowDelta } from "../../../../src/openflow/delta.js";
import type { Flow } from "../../../../src/openflow/flow.js";
import type { FlowChange } from "../../../../src/openflow/wire/flow-updates.js";

const flow = (priority: number, cookie = 1n): Flow => {
  return { table: 1, priority, cookie, match: {}, actions: "drop" };
};
const told = (kind: FlowChange["kind"], { table, priority, cookie }: Flow): FlowChange => {
  return { kind, table, priority, cookie };
};
const delta = (parts: Partial<FlowDelta>): FlowDelta => {
  return { missing: [], changed: [], unexpected: [], foreign: [], ...parts };
};

it("explains what a bundle does, each thing once, in any order", () => {
  const ledger = new Ledger();
  const changed = [{ from: flow(3, 9n), to: flow(3) }];
  const account = ledger.open(
    delta({ missing: [flow(1), flow(1)], changed, unexpected: [flow(2)] }),
    false,
  );
  const own = [told("added", flow(3)), told("removed", flow(2)), told("added", flow(1))];
  for (const update of [...own, told("added", flow(1))]) expect(ledger.explains(update)).toBe(true);
  expect(ledger.close(account)).toBe(true);
});

it.each([
  ["an addition too many", told("added", flow(1))],
  ["a modification", told("modified", flow(1))],
  ["a removal", told("removed", flow(1))],
  ["another cookie", told("added", flow(1, 2n))],
  ["another priority", told("added", flow(2))],
  ["changes that were not told one by one", { kind: "unclear" } as const],
])("does not explain %s, and then trusts no count of that time", (_, stranger) => {
  const ledger = new Ledger();
  const account = ledger.open(delta({ missing: [flow(1)] }), false);
  expect(ledger.explains(told("added", flow(1)))).toBe(true);
  expect(ledger.explains(stranger)).toBe(false);
  const later = ledger.open(delta({}), false);
  expect(ledger.close(account)).toBe(false);
  expect(ledger.close(later)).toBe(false);
  expect(ledger.close(ledger.open(delta({}), false))).toBe(true);
});

it("misses what was never told", () => {
  const ledger = new Ledger();
  expect(ledger.close(ledger.open(delta({ missing: [flow(1)] }), false))).toBe(false);
  expect(ledger.close(ledger.open(delta({ unexpected: [flow(1)] }), false))).toBe(false);
});

it("explains nothing any more by a bundle whose account is closed", () => {
  const ledger = new Ledger();
  ledger.close(ledger.open(delta({ missing: [flow(1)] }), false));
  expect(ledger.explains(told("added", flow(1)))).toBe(false);
});

it("does not trust a count that begins while the bridge is suspect", () => {
  const ledger = new Ledger();
  expect(ledger.close(ledger.open(delta({}), true))).toBe(false);
});

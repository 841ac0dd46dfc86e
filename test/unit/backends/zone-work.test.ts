import { expect, it, vi } from "vitest";
import { type Operation, TransactionError } from "../../../src/backends/ovs/ovsdb.js";
import type { PlannerParts } from "../../../src/backends/ovs/planner.js";
import type { Connections } from "../../../src/backends/ovs/switch-watch.js";
import { ZoneWork } from "../../../src/backends/ovs/zone-work.js";
import { slice } from "../../support/intents.js";

const TIMEOUTS: Operation = { op: "insert", table: "CT_Timeout_Policy" };

/** Somebody is plugged in and has zones, but these lack their time-outs. */
function work(configure: () => Promise<void>) {
  const fail = vi.fn<(vpcId: string, reason: string) => void>();
  const parts = {
    watch: { topology: { ownZones: () => [1, 2], zones: new Set([1, 2]) }, replica: {} },
    belief: { epoch: 1 },
    conntrack: { renewLimits: async () => undefined },
    zones: { grants: () => [] },
    timeouts: { zonesOfOthers: () => new Set(), operations: () => [TIMEOUTS] },
    log: { info: () => undefined, warn: () => undefined },
  } as unknown as PlannerParts;
  const connections = { unixctl: {} } as Connections;
  const zones = new ZoneWork({ intent: slice("all", []), parts, connections, configure, fail });
  return { zones, fail };
}

it("says why zones have no time-outs when the database refuses them, and fails nobody", async () => {
  const { zones, fail } = work(() => Promise.reject(new TransactionError("constraint violation")));
  expect(await zones.grant()).toBe(false);
  expect(zones.timeoutsError).toMatch(/time-outs.*constraint violation/);
  expect(fail).not.toHaveBeenCalled();
});

it("has nothing to say when they were set", async () => {
  const { zones } = work(() => Promise.resolve());
  await zones.grant();
  expect(zones.timeoutsError).toBeUndefined();
});

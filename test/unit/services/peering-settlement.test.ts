import { expect, it } from "vitest";
import type { Principal } from "../../../src/domain/principal.js";
import type { VpcPeering } from "../../../src/domain/resources.js";
import { SettlementBoard } from "../../../src/reconcile/settlement-board.js";
import type { ServiceContext } from "../../../src/services/context.js";
import { settled } from "../../../src/services/peering-settlement.js";

const WAIT_MS = 50;

it("waits no longer when the clock is stepped back meanwhile", async () => {
  const peering = { id: "pcx-1", state: "provisioning" } as VpcPeering;
  const caller = { tenantId: null, roles: [], permissions: new Set() } as Principal;
  let now = Date.now();
  const ctx = {
    clock: () => new Date(now),
    settlements: new SettlementBoard(),
    db: { vpcPeering: { findUnique: async () => null } },
  } as unknown as ServiceContext;
  const waiting = settled(ctx, caller, peering, WAIT_MS);
  now -= 3_600_000;
  expect(await waiting).toBe(peering);
});

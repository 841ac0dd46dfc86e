import { describe, expect, it } from "vitest";
import { ABSENT, Ledger } from "../../faults/ledger.js";

function ledgerOf(actual: { state: string }, ...states: string[]): Ledger {
  const ledger = new Ledger();
  ledger.add("vpcs/1", async () => actual.state, ...states);
  return ledger;
}

describe("the ledger of acknowledged writes", () => {
  it("finds nothing while all is as it was acknowledged", async () => {
    expect(await ledgerOf({ state: "name a" }, "name a").verify()).toEqual([]);
  });

  it("tells what is gone, and what is not as it was last acknowledged", async () => {
    expect(await ledgerOf({ state: ABSENT }, "name a").verify()).toEqual([
      "vpcs/1: is absent, may be name a",
    ]);
    const ledger = ledgerOf({ state: "name a" }, "name a");
    ledger.settle("vpcs/1", "name b");
    expect(await ledger.verify()).toEqual(["vpcs/1: is name a, may be name b"]);
  });

  it("tells what has come back after its deletion was acknowledged", async () => {
    const ledger = ledgerOf({ state: "there" }, "there");
    ledger.settle("vpcs/1", ABSENT);
    expect(await ledger.verify()).toHaveLength(1);
  });

  it("admits what time makes of some states, and of no other", async () => {
    const becomes = { "pending-acceptance": ["expired"] };
    const pending = ledgerOf({ state: "expired" }, "pending-acceptance");
    pending.widen("vpcs/", becomes);
    expect(await pending.verify()).toEqual([]);
    const accepted = ledgerOf({ state: "expired" }, "accepted");
    accepted.widen("vpcs/", becomes);
    expect(await accepted.verify()).toHaveLength(1);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import type { BridgeDrift, Outcome } from "../../../src/backends/backend.js";
import type { IntentSlice, VpcIntent } from "../../../src/domain/intent.js";
import { StatusBoard } from "../../../src/reconcile/status-board.js";

const FINE: Outcome = {
  bridges: [],
  failedVpcs: new Map(),
  exchangeError: undefined,
  installedPeerings: [],
  removedPeerings: [],
};

function vpc(id: string, number: number, generation: number): VpcIntent {
  const contents = { blocks: [], subnets: [], interfaces: [], routeTables: [] };
  return { id, number, generation, ...contents, securityGroups: [], peerGroups: [] };
}

function slice(vpcs: VpcIntent[], scope: IntentSlice["scope"] = "all"): IntentSlice {
  const generation = Math.max(0, ...vpcs.map((entry) => entry.generation));
  return { scope, generation, vpcs: new Map(vpcs.map((entry) => [entry.id, entry])), peerings: [] };
}

function drift(bridge: string, deleted: string[]): BridgeDrift {
  return { bridge, deleted, altered: [{ was: "flow 8", is: "flow 9" }], added: [], settings: [] };
}

describe("the status board", () => {
  let board: StatusBoard;
  beforeEach(() => {
    board = new StatusBoard({ bridgeName: (n) => `br${n}`, exchangeName: () => "brx" });
  });

  it("says that a VPC is gone once a pass has found it gone", () => {
    board.recordOutcome(slice([vpc("a", 1, 5)]), FINE, undefined);
    const at = (generation: number) => board.removal("ovs", "a", generation).state;
    expect(at(6)).toBe("pending");
    const later = { ...slice([], new Set(["b"])), generation: 6 };
    board.recordOutcome(later, FINE, undefined);
    expect(at(6), "only another VPC was looked at").toBe("pending");
    const stuck = { ...FINE, failedVpcs: new Map([["a", "not removed yet"]]) };
    board.recordOutcome({ ...later, scope: "all" }, stuck, undefined);
    expect(at(6)).toBe("error");
    board.recordOutcome({ ...later, scope: new Set(["a"]) }, FINE, undefined);
    expect(at(6)).toBe("programmed");
    expect(at(7), "what was made and deleted before any pass").toBe("pending");
  });

  it("knows nothing at first, and says so", () => {
    expect(board.status("ovs", ["a"], 7)).toEqual({
      state: "pending",
      generation: 7,
      observedGeneration: 0,
    });
  });

  it("counts a resource as programmed once all its VPCs were seen at its generation", () => {
    board.recordOutcome(slice([vpc("a", 1, 5), vpc("b", 2, 3)]), FINE, undefined);
    expect(board.status("ovs", ["a"], 5).state).toBe("programmed");
    expect(board.status("ovs", ["a", "b"], 4)).toMatchObject({
      state: "pending",
      observedGeneration: 3,
    });
  });

  it("tells that a VPC failed, of it alone, until it succeeds; why, tells the operator only", () => {
    const intent = slice([vpc("a", 1, 5), vpc("b", 2, 5)]);
    const failing = { ...FINE, failedVpcs: new Map([["a", "no such port"]]) };
    board.recordOutcome(intent, failing, undefined);
    const { state, message } = board.status("ovs", ["a"], 5);
    expect(state).toBe("error");
    expect(message).not.toContain("no such port");
    const shown = board.bridges(new Map()).find((bridge) => bridge.vpcId === "a");
    expect(shown?.lastError).toBe("no such port");
    expect(board.status("ovs", ["b"], 5).state).toBe("programmed");
    board.recordOutcome(intent, FINE, undefined);
    expect(board.status("ovs", ["a"], 5).state).toBe("programmed");
  });

  it("shows a switch that is away on everything, also on what was programmed", () => {
    board.recordOutcome(slice([vpc("a", 1, 5)]), FINE, undefined);
    board.switchFailed("no socket at /run/secret");
    const { state, message } = board.status("ovs", ["a"], 5);
    expect(state).toBe("error");
    expect(message).not.toContain("/run/secret");
    board.switchFailed("install Open vSwitch", true);
    expect(board.status("ovs", ["a"], 5).message).toBe("install Open vSwitch");
    expect(board.bridges(new Map()).every((bridge) => bridge.lastError !== null)).toBe(true);
    board.recordOutcome(slice([vpc("a", 1, 5)]), FINE, undefined);
    expect(board.status("ovs", ["a"], 5).state).toBe("programmed");
  });

  it("counts the flows that have drifted, in all and for each bridge", () => {
    board.recordOutcome(slice([vpc("a", 1, 5), vpc("b", 2, 5)]), FINE, undefined);
    expect(board.recordDrift([])).toBe(0);
    expect(board.recordDrift([drift("br1", ["flow 1", "flow 2"]), drift("brx", [])])).toBe(4);
    expect(board.recordDrift([drift("br1", []), drift("one that is gone", [])])).toBe(2);
    const counts = board.bridges(new Map()).map(({ bridge, driftCount }) => [bridge, driftCount]);
    expect(Object.fromEntries(counts)).toEqual({ br1: 4, br2: 0, brx: 1 });
  });

  it("forgets VPCs that are gone", () => {
    board.recordOutcome(slice([vpc("a", 1, 5), vpc("b", 2, 5)]), FINE, new Date(0));
    board.recordOutcome(slice([], new Set(["a"])), FINE, undefined);
    const shown = board.bridges(new Map([["br2", 9]]));
    expect(shown.map((bridge) => bridge.vpcId)).toEqual(["b", null]);
    expect(shown[0]).toMatchObject({ flowCount: 9, lastResync: "1970-01-01T00:00:00.000Z" });
  });

  it("shows what is only reported, and what was to be put right where that has failed", () => {
    const setting = { object: "bridge br1", setting: "mirrors", found: "m", wanted: null };
    const stp = { object: "bridge br1", setting: "stp_enable", found: "true", wanted: "false" };
    const found = (bridge: string, vpcId: string | null, error: string | null) => {
      const flows = { missing: [], changed: [], unexpected: [], foreign: [] };
      return { bridge, vpcId, ...flows, settings: [setting, stp], error, unread: error !== null };
    };
    const shown = () => board.bridges(new Map()).map(({ bridge, settings }) => [bridge, settings]);
    const intent = slice([vpc("a", 1, 5)]);
    board.recordOutcome(intent, { ...FINE, bridges: [found("br1", "a", null)] }, undefined);
    expect(shown()).toEqual([
      ["br1", [setting]],
      ["brx", []],
    ]);
    expect(board.unread).toBe(0);
    const bridges = [found("br1", "a", "hangs"), found("br9", null, "not removed yet")];
    board.recordOutcome(intent, { ...FINE, bridges }, undefined);
    expect(shown()).toEqual([
      ["br1", [setting, stp]],
      ["brx", []],
      ["br9", [setting, stp]],
    ]);
    expect(board.unread).toBe(2);
    board.switchFailed("away");
    expect(board.unread).toBe(3);
    board.recordOutcome(intent, FINE, undefined);
    expect(board.bridges(new Map()).map(({ bridge }) => bridge)).toEqual(["br1", "brx"]);
  });

  it("says noop with the no-op backend, whatever happened", () => {
    expect(board.status("noop", ["a"], 5).state).toBe("noop");
  });
});

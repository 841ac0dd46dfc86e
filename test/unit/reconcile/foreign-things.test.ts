import { expect, it } from "vitest";
import { type ForeignFindings, ForeignThings } from "../../../src/reconcile/foreign-things.js";

function seen(bridge: string, vpcId: string | null, ...foreign: string[]): ForeignFindings {
  return { bridge, vpcId, foreign };
}

it("tells of each foreign flow once, and when it is gone", () => {
  const flows = new ForeignThings();
  expect(flows.note([seen("br1", "a"), seen("brx", null)], "brx")).toEqual([]);
  expect(flows.note([seen("br1", "a", "f", "g")], "brx")).toEqual([
    { bridge: "br1", appeared: ["f", "g"], vanished: [] },
  ]);
  expect(flows.note([seen("br1", "a", "g", "f"), seen("brx", null, "f")], "brx")).toEqual([
    { bridge: "brx", appeared: ["f"], vanished: [] },
  ]);
  expect(flows.count).toBe(3);
  expect(flows.note([seen("br1", "a", "f", "h")], "brx")).toEqual([
    { bridge: "br1", appeared: ["h"], vanished: ["g"] },
  ]);
  expect(flows.note([seen("brx", null)], "brx")).toEqual([
    { bridge: "brx", appeared: [], vanished: ["f"] },
  ]);
  expect(flows.count).toBe(2);
});

it("takes those on a bridge that is being removed for gone, and those not looked at for there", () => {
  const flows = new ForeignThings();
  flows.note([seen("br1", "a", "f"), seen("br2", "b", "g")], "brx");
  expect(flows.note([], "brx")).toEqual([]);
  expect(flows.note([seen("br1", null, "f")], "brx")).toEqual([
    { bridge: "br1", appeared: [], vanished: ["f"] },
  ]);
  expect(flows.count).toBe(1);
});

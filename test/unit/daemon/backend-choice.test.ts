import { expect, test } from "vitest";
import { banner, chooseBackend } from "../../../src/daemon/backend-choice.js";

const OVSDB = "unix:/run/db.sock";

function choose(wanted: "auto" | "ovs" | "noop", remembered: boolean, answering: boolean) {
  return chooseBackend({ wanted, remembered, ovsdb: OVSDB, answers: answering });
}

test("auto takes Open vSwitch when it answers", () => {
  expect(choose("auto", false, true)).toEqual({ kind: "ovs" });
});

test("auto without Open vSwitch is no-op, and says so with the address that was tried", () => {
  const choice = choose("auto", false, false);
  expect(choice.kind).toBe("noop");
  expect(choice.warning?.join("\n")).toContain(OVSDB);
  expect(choice.warning?.join("\n")).toContain("NO-OP");
});

test("an installation that has programmed a switch waits for it", () => {
  expect(choose("auto", true, false)).toEqual({ kind: "ovs" });
});

test("an explicit choice is followed without asking", () => {
  expect(choose("ovs", false, false)).toEqual({ kind: "ovs" });
  expect(choose("noop", false, true)).toEqual({ kind: "noop" });
});

test("leaving a programmed switch behind is not silent", () => {
  const { kind, warning } = choose("noop", true, true);
  expect(kind).toBe("noop");
  expect(warning?.join("\n")).toContain("purge");
});

test("the banner frames all lines to one width", () => {
  const lines = banner(["a", "longer"]).split("\n").filter(Boolean);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines).toHaveLength(4);
});

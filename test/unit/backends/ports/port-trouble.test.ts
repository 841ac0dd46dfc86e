import { expect, it } from "vitest";
import { portTrouble } from "../../../../src/backends/ovs/ports/port-trouble.js";
import { interfaceOf, type PortSpec } from "../switch-rows.js";

const UP = { adminState: "up", linkState: "up", ifindex: 7 };
const GONE = { adminState: "down", linkState: "down", ifindex: 0 };
const CLEAN = { noReceive: false, noForward: false };

function troubleOf(
  port: Partial<PortSpec>,
  { settings = CLEAN, isStale = false, hasPeer = true, datapathType = "netdev" } = {},
): string | undefined {
  const row = interfaceOf({ name: "tap0", ofport: 5, ...UP, ...port });
  return portTrouble({ row, settings, hasPeer, isStale, datapathType });
}

it.each([
  ["up", {}],
  ["a patch, which has no device", { type: "patch", ifindex: 0 }],
  ["a tunnel, which has none either", { type: "vxlan", ifindex: 0 }],
  ["an old error of a patch", { type: "patch", error: "No usable peer" }],
  ["an internal port in another namespace, unseen", { type: "internal", ...GONE }],
] as const)("finds none in a port that is %s", (_, port) => {
  expect(troubleOf(port)).toBeUndefined();
});

it("finds none where nothing is known", () => {
  const row = interfaceOf({ name: "tap0", ofport: 5 });
  const unknown = { settings: undefined, isStale: false, datapathType: "" };
  expect(portTrouble({ row, hasPeer: false, ...unknown })).toBeUndefined();
});

it.each([
  ["no device at first", { ofport: -1, error: "No such device" }, /says "No such device"/],
  ["an error beside a number", { error: "odd" }, /says "odd"/],
  ["a device that is gone", GONE, /device is gone/],
  ["a device that is down", { adminState: "down", linkState: "down" }, /set down/],
  ["a far end that is down", { linkState: "down" }, /other end/],
  ["an internal device that is down", { type: "internal", adminState: "down" }, /set down/],
] as const)("tells of %s", (_, port, message) => {
  expect(troubleOf(port)).toMatch(message);
});

it("believes what the kernel's datapath says of an internal port in another namespace", () => {
  const datapathType = "system";
  expect(troubleOf({ type: "internal", ifindex: 0 }, { datapathType })).toBeUndefined();
  expect(troubleOf({ type: "internal", ...GONE }, { datapathType })).toMatch(/gone/);
});

it("tells of settings by OpenFlow, and of a device that was made anew", () => {
  expect(troubleOf({}, { settings: { noReceive: true, noForward: false } })).toMatch(/no-receive/);
  expect(troubleOf({}, { settings: { noReceive: false, noForward: true } })).toMatch(/no-forward/);
  expect(troubleOf({}, { settings: { noReceive: true, noForward: true } })).toMatch(/and/);
  expect(troubleOf({}, { isStale: true })).toMatch(/made anew/);
  expect(troubleOf({ type: "patch" }, { hasPeer: false })).toMatch(/no other port/);
});

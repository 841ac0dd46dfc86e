import { describe, expect, it } from "vitest";
import { decodeCookie } from "../../../src/openflow/cookie.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { countedDrop, DROP_REASONS } from "../../../src/pipeline/drops.js";
import { vpcBridgeFlows } from "../../../src/pipeline/render.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { zonesOfFlow } from "../../../src/pipeline/zone-of-flow.js";
import { Network } from "./network.js";
import { OPTIONS, portsOf, routed, vpc } from "./topologies.js";

const a = vpc(1, ["10.10.1.0/24"], 2);
const flows = vpcBridgeFlows(a, [], portsOf(a), OPTIONS);

describe("counted drops", () => {
  it("are one flow for each interface and reason, of the interface, that does nothing", () => {
    const counting = flows.filter((flow) => countedDrop(flow) !== undefined);
    const expected = a.interfaces.flatMap(({ number }) =>
      Object.keys(DROP_REASONS).map((reason) => ({ interface: number, reason })),
    );
    expect(counting.map(countedDrop)).toEqual(expected);
    expect(counting.every(({ actions }) => actions === "drop")).toBe(true);
    expect(counting.map(({ cookie }) => decodeCookie(cookie))).toMatchObject(
      expected.map((counted) => ({ category: "interface", object: counted.interface })),
    );
  });

  it("are read from no other flow", () => {
    const others = flows.filter(({ table }) => table !== VPC_TABLES.drops.number);
    expect(others.flatMap((flow) => countedDrop(flow) ?? [])).toEqual([]);
    const odd = (match: Flow["match"]): Flow => {
      const table = VPC_TABLES.drops.number;
      return { table, priority: 100, cookie: 0n, match, actions: "drop" };
    };
    expect(countedDrop(odd({}))).toBeUndefined();
    expect(countedDrop(odd({ reg0: "0x10" }))).toBeUndefined();
    expect(countedDrop(odd({ reg9: "0x1" }))).toBeUndefined();
    expect(countedDrop(odd({ reg0: "0x10", reg9: "0x63" }))).toBeUndefined();
    expect(countedDrop(odd({ reg0: "0x10", reg9: "0x1" }))).toEqual({
      interface: 16,
      reason: "spoofed",
    });
  });

  it.each([
    ["another's address", { nw_src: "10.10.1.11", nw_dst: "10.10.1.11" }, "spoofed"],
    ["no route", { nw_dst: "192.0.2.1" }, "noRoute"],
    ["a blackhole", { nw_dst: "10.20.1.1" }, "blackhole"],
  ] as const)("say why: %s", (_what, fields, reason) => {
    const [from] = a.interfaces;
    if (from === undefined) throw new Error("no interface");
    const network = new Network({ vpcs: [routed(a, { "10.20.0.0/16": null })], peerings: [] });
    expect(network.send(a, from, { fields })).toEqual([]);
    expect(network.drops).toEqual([{ interface: from.number, reason }]);
  });
});

describe("the zone of a flow", () => {
  it("is that of its receiver, where it looks for the receiver's connections", () => {
    const zones = flows.flatMap(zonesOfFlow);
    const plugged = [...portsOf(a).interfaces.values()];
    expect(zones).toEqual(plugged.flatMap(({ zones: { called, caller } }) => [called, caller]));
  });
});

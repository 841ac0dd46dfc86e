import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { Belief } from "../../../src/backends/ovs/belief.js";
import { FIRST_ZONE, LAST_ZONE, readZone, zoneText } from "../../../src/backends/ovs/ct-zone.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { grantOperations, ZoneAllocator } from "../../../src/backends/ovs/zones.js";
import { vpcBridgeFlows } from "../../../src/pipeline/render.js";
import { eniId, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { type BridgeSpec, type PortSpec, replicaOf } from "./switch-rows.js";

const INSTALLATION = "installation-a";
const MARK = 0xa;
const NAMES = new SwitchNames(MARK);

/** VPC 1 with an interface for each mark, undefined for one without a zone. */
function plugged(marks: readonly (string | undefined)[]): BridgeSpec {
  const ports = marks.map((mark, index): PortSpec => {
    const zone = mark === undefined ? {} : { "patchbay-ct-zone": mark };
    return {
      name: `tap${index}`,
      ofport: index + 1,
      ids: { "iface-id": eniId(1, index), ...zone },
    };
  });
  const ids = { "patchbay-installation": INSTALLATION, "patchbay-vpc": vpcId(1) };
  return { name: NAMES.vpcBridge(1), ids, ports };
}

const view = (bridges: readonly BridgeSpec[]) =>
  new Topology(replicaOf(bridges), INSTALLATION, NAMES);

/** The zones that so many interfaces without one are given. */
function granted(
  allocator: ZoneAllocator,
  count: number,
  taken: readonly number[] = [],
  belief = new Belief(MARK),
): number[] {
  const waiting = view([plugged(Array.from({ length: count }, () => undefined))]);
  const soleClaim = (id: string, of: string) => waiting.soleClaim(id, of);
  const topology = { zones: new Set(taken), soleClaim } as unknown as Topology;
  const grants = allocator.grants(slice("all", [vpcIntent(1, count)]), topology, belief);
  return grants.map(({ zone }) => zone);
}

describe("zones", () => {
  it("are given to interfaces that are plugged in and have none", () => {
    const topology = view([plugged([`${eniId(1, 0)}:7`, undefined, `${eniId(1, 0)}:8`])]);
    const intent = slice("all", [vpcIntent(1, 4)]);
    const grants = new ZoneAllocator().grants(intent, topology, new Belief(MARK));
    expect(grants).toEqual([
      { networkInterfaceId: eniId(1, 1), vpcId: vpcId(1), row: "i-tap1", zone: 9 },
      { networkInterfaceId: eniId(1, 2), vpcId: vpcId(1), row: "i-tap2", zone: 10 },
    ]);
  });

  it("are not given where an interface is plugged in twice", () => {
    const twice = plugged([undefined, undefined]);
    const ports = twice.ports.map((port) => ({ ...port, ids: { "iface-id": eniId(1) } }));
    const topology = view([{ ...twice, ports }]);
    const intent = slice("all", [vpcIntent(1, 1)]);
    expect(new ZoneAllocator().grants(intent, topology, new Belief(MARK))).toEqual([]);
  });

  it("of OVN are left alone, and whatever else stands there means nothing", () => {
    const ids = { "ct-zone-a": "12", "ct-zone-b": "abc", "ct-zone-c": "0", "ct-zone-d": "70000" };
    const topology = view([plugged([undefined]), { name: "br-int", ids, ports: [] }]);
    expect([...topology.zones]).toEqual([12]);
    const intent = slice("all", [vpcIntent(1, 1)]);
    const grants = new ZoneAllocator().grants(intent, topology, new Belief(MARK));
    expect(grants).toMatchObject([{ zone: 13 }]);
  });

  it("start above all that are taken, and at 1 on an empty host: never 0", () => {
    expect(granted(new ZoneAllocator(), 3)).toEqual([1, 2, 3]);
    expect(granted(new ZoneAllocator(), 2, [3, 50])).toEqual([51, 52]);
  });

  it("come round, past those that are taken", () => {
    expect(granted(new ZoneAllocator(), 3, [1, 3, LAST_ZONE - 1])).toEqual([LAST_ZONE, 2, 4]);
  });

  it("that were given back wait until the numbers have come round", () => {
    const allocator = new ZoneAllocator();
    expect(granted(allocator, 2)).toEqual([1, 2]);
    expect(granted(allocator, 2)).toEqual([3, 4]);
    expect(granted(allocator, 1, [LAST_ZONE])).toEqual([5]);
  });

  it("stay taken while flows mention them", () => {
    const vpc = vpcIntent(1, 1);
    const interfaces = new Map([[eniId(1), { port: 1, zone: 3 }]]);
    const options = { mark: MARK, dropFragments: false };
    const belief = new Belief(MARK);
    belief.set("br", vpcBridgeFlows(vpc, [], { uplink: undefined, interfaces }, options));
    expect(granted(new ZoneAllocator(), 1, [LAST_ZONE, 1, 2], belief)).toEqual([4]);
  });

  it("run out with an error, not with somebody else's zone", () => {
    const all = Array.from({ length: LAST_ZONE }, (_, i) => FIRST_ZONE + i);
    const [last, ...taken] = all.reverse();
    const allocator = new ZoneAllocator();
    expect(granted(allocator, 1, taken)).toEqual([last]);
    expect(() => granted(allocator, 2, taken)).toThrow(RangeError);
  });
});

describe("a zone in external_ids", () => {
  it("reads back with its owner", () => {
    for (const zone of [FIRST_ZONE, LAST_ZONE]) {
      expect(readZone(zoneText("eni-1", zone))).toEqual({ owner: "eni-1", zone });
    }
  });

  it("takes the place of what stood there, and of nothing else", () => {
    const grant = { networkInterfaceId: "eni-1", vpcId: "vpc-1", row: "row" as never, zone: 9 };
    expect(grantOperations([grant])).toEqual([
      {
        op: "mutate",
        table: "Interface",
        where: [["_uuid", "==", ["uuid", "row"]]],
        mutations: [
          ["external_ids", "delete", ["set", ["patchbay-ct-zone"]]],
          ["external_ids", "insert", ["map", [["patchbay-ct-zone", "eni-1:9"]]]],
        ],
      },
    ]);
  });
});

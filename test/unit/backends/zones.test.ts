import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { Belief } from "../../../src/backends/ovs/belief.js";
import { FIRST_ZONE, LAST_ZONE, readZone, zoneText } from "../../../src/backends/ovs/ct-zone.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { grantOperations, ZoneAllocator } from "../../../src/backends/ovs/zones.js";
import { vpcBridgeFlows } from "../../../src/pipeline/render.js";
import { eniId, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { type BridgeSpec, type PortSpec, replicaOf, zoneMarks } from "./switch-rows.js";

const INSTALLATION = "installation-a";
const MARK = 0xa;
const NAMES = new SwitchNames(MARK);

type Marks = readonly [called?: string | undefined, caller?: string | undefined];

/** VPC 1 with an interface for each pair of marks, undefined for a zone that it has not. */
function plugged(marks: readonly Marks[]): BridgeSpec {
  const ports = marks.map(
    ([called, caller], index): PortSpec => ({
      name: `tap${index}`,
      ofport: index + 1,
      ids: { "iface-id": eniId(1, index), ...zoneMarks(called, caller) },
    }),
  );
  const ids = { "patchbay-installation": INSTALLATION, "patchbay-vpc": vpcId(1) };
  return { name: NAMES.vpcBridge(1), ids, ports };
}

const view = (bridges: readonly BridgeSpec[]) =>
  new Topology(replicaOf(bridges), INSTALLATION, NAMES);

/** The zones that so many interfaces are given that lack the one of their calls. */
function granted(
  allocator: ZoneAllocator,
  count: number,
  taken: readonly number[] = [],
  belief = new Belief(MARK),
): number[] {
  const waiting = view([plugged(Array.from({ length: count }, () => []))]);
  const soleClaim = (id: string, of: string) => {
    const claim = waiting.soleClaim(id, of);
    return claim === undefined ? undefined : { ...claim, zones: { called: 0 } };
  };
  const topology = { zones: new Set(taken), soleClaim } as unknown as Topology;
  const grants = allocator.grants(slice("all", [vpcIntent(1, count)]), topology, belief);
  return grants.map(({ zone }) => zone);
}

describe("zones", () => {
  it("are given to interfaces that are plugged in and have none", () => {
    const topology = view([
      plugged([[`${eniId(1, 0)}:7`, `${eniId(1, 0)}:6`], [], [`${eniId(1, 0)}:8`]]),
    ]);
    const intent = slice("all", [vpcIntent(1, 4)]);
    const grants = new ZoneAllocator().grants(intent, topology, new Belief(MARK));
    const of = (n: number) => ({
      networkInterfaceId: eniId(1, n),
      vpcId: vpcId(1),
      row: `i-tap${n}`,
    });
    expect(grants).toEqual([
      { ...of(1), side: "called", zone: 9 },
      { ...of(1), side: "caller", zone: 10 },
      { ...of(2), side: "called", zone: 11 },
      { ...of(2), side: "caller", zone: 12 },
    ]);
  });

  it("are left to who has one of the two, and lacks the other only", () => {
    const topology = view([plugged([[`${eniId(1, 0)}:7`], [undefined, `${eniId(1, 1)}:9`]])]);
    const intent = slice("all", [vpcIntent(1, 2)]);
    const grants = new ZoneAllocator().grants(intent, topology, new Belief(MARK));
    expect(grants).toMatchObject([
      { networkInterfaceId: eniId(1, 0), side: "caller", zone: 10 },
      { networkInterfaceId: eniId(1, 1), side: "called", zone: 11 },
    ]);
  });

  it("that two sides of an interface share are one side's only, and the other gets its own", () => {
    const topology = view([plugged([[`${eniId(1)}:7`, `${eniId(1)}:7`]])]);
    const intent = slice("all", [vpcIntent(1, 1)]);
    const grants = new ZoneAllocator().grants(intent, topology, new Belief(MARK));
    expect(grants).toMatchObject([{ side: "caller", zone: 8 }]);
  });

  it("are not given where an interface is plugged in twice", () => {
    const twice = plugged([[], []]);
    const ports = twice.ports.map((port) => ({ ...port, ids: { "iface-id": eniId(1) } }));
    const topology = view([{ ...twice, ports }]);
    const intent = slice("all", [vpcIntent(1, 1)]);
    expect(new ZoneAllocator().grants(intent, topology, new Belief(MARK))).toEqual([]);
  });

  it("of OVN are left alone, and whatever else stands there means nothing", () => {
    const ids = { "ct-zone-a": "12", "ct-zone-b": "abc", "ct-zone-c": "0", "ct-zone-d": "70000" };
    const topology = view([plugged([[]]), { name: "br-int", ids, ports: [] }]);
    expect([...topology.zones]).toEqual([12]);
    const intent = slice("all", [vpcIntent(1, 1)]);
    const grants = new ZoneAllocator().grants(intent, topology, new Belief(MARK));
    expect(grants).toMatchObject([{ zone: 13 }, { zone: 14 }]);
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
    const interfaces = new Map([[eniId(1), { port: 1, zones: { caller: 5, called: 3 } }]]);
    const options = { mark: MARK, dropFragments: false, dropsBeyondRoom: false };
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
    const to = { networkInterfaceId: "eni-1", vpcId: "vpc-1", row: "row" };
    const grants = [
      { ...to, side: "called", zone: 9 },
      { ...to, side: "caller", zone: 8 },
    ] as const;
    const marking = (key: string, mark: string) => ({
      op: "mutate",
      table: "Interface",
      where: [["_uuid", "==", ["uuid", "row"]]],
      mutations: [
        ["external_ids", "delete", ["set", [key]]],
        ["external_ids", "insert", ["map", [[key, mark]]]],
      ],
    });
    expect(grantOperations(grants)).toEqual([
      marking("patchbay-ct-zone", "eni-1:9"),
      marking("patchbay-ct-zone-caller", "eni-1:8"),
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { bindingOf } from "../../../src/backends/ovs/ports/binding.js";
import { PortHealth } from "../../../src/backends/ovs/ports/port-health.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { topologyChanges } from "../../../src/backends/ovs/topology-changes.js";
import type { Binding } from "../../../src/domain/data-plane.js";
import { eniId, scopeOf, vpcId, vpcIntent } from "../../support/intents.js";
import { type BridgeSpec, type PortSpec, replicaOf, zoneMarks } from "./switch-rows.js";

const INSTALLATION = "installation-a";
const NAMES = new SwitchNames(0xa);
const OWN = { "patchbay-installation": INSTALLATION };

describe("bindings", () => {
  it("need one working port on the bridge of the interface's own VPC", () => {
    const topology = view([
      bridge(1, [plug("tap0", 5, eniId(1), `${eniId(1)}:9`, `${eniId(1)}:8`)]),
    ]);
    expect(bindingIn(topology)).toEqual({ kind: "bound", port: "tap0" });
    const plugged = new Map([[eniId(1), { port: 5, zones: { caller: 8, called: 9 } }]]);
    expect(topology.ofVpc(vpcIntent(1, 1)).interfaces).toEqual(plugged);
  });

  it.each([
    ["no port number yet", plug("tap0", undefined, eniId(1)), "unbound", /tap0 .* opened/],
    [
      "no such device",
      { ...plug("tap0", -1, eniId(1)), error: "no tap" },
      "dead",
      /tap0 .*"no tap"/,
    ],
    ["an error beside a number", { ...plug("tap0", 5, eniId(1)), error: "odd" }, "dead", /"odd"/],
    ["another interface", plug("tap0", 5, eniId(1, 3)), "unbound", undefined],
  ])("are not made for a port with %s", (_, port, kind, message) => {
    const topology = view([bridge(1, [port])]);
    const binding = bindingIn(topology);
    expect(binding.kind).toBe(kind);
    const told = "message" in binding ? binding.message : undefined;
    if (message === undefined) expect(told).toBeUndefined();
    else expect(told).toMatch(message);
    expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
  });

  it("are not made on the bridge of another VPC, nor on one of somebody else", () => {
    const strays = [bridge(2, [plug("tap0", 5, eniId(1))])];
    const theirs = [{ ...bridge(1, [plug("tap0", 5, eniId(1))]), ids: {} }];
    for (const [bridges, kind] of [
      [strays, "conflict"],
      [theirs, "unbound"],
    ] as const) {
      const topology = view(bridges);
      const binding = bindingIn(topology);
      expect(binding.kind).toBe(kind);
      expect(JSON.stringify(binding)).not.toContain("tap0");
      expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
    }
  });

  it("are made for neither of two claims, on one bridge or two, working or not", () => {
    const first = plug("tap0", 5, eniId(1));
    const broken = plug("tap1", -1, eniId(1));
    for (const [bridges, other] of [
      [[bridge(1, [first, broken])], `tap1 on bridge ${NAMES.vpcBridge(1)}`],
      [[bridge(1, [first]), bridge(2, [broken])], "a port on the bridge of another VPC"],
    ] as const) {
      const topology = view(bridges);
      const binding = bindingIn(topology);
      expect(binding.kind).toBe("conflict");
      const message = binding.kind === "conflict" ? binding.message : "";
      expect(message).toContain(`tap0 on bridge ${NAMES.vpcBridge(1)}`);
      expect(message).toContain(other);
      expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
    }
  });
});

describe("members of peers' groups", () => {
  const members = vpcIntent(2, 3).interfaces;
  const named = { group: 2, peering: 7, vpcId: vpcId(2), members, limited: false };
  const user = { ...vpcIntent(1), peerGroups: [named] };
  const pluggedIn = (...bridges: readonly BridgeSpec[]) => [
    ...(view(bridges).ofVpc(user).peerInterfaces ?? []),
  ];
  const plugged = (i: number) => {
    const [called, caller] = [9 + 2 * i, 10 + 2 * i].map((zone) => `${eniId(2, i)}:${zone}`);
    return plug(`tap${i}`, 5 + i, eniId(2, i), called, caller);
  };
  const own = (port: PortSpec) => pluggedIn(bridge(1, []), bridge(2, [port]));

  it("are plugged in where they belong, as their own VPC sees it", () => {
    const ports = [0, 2].map((i) => plugged(i));
    expect(pluggedIn(bridge(1, []), bridge(2, ports))).toEqual([eniId(2, 0), eniId(2, 2)]);
  });

  it("are not with a port that does not work, without a zone, on another bridge, or with two", () => {
    const good = plugged(0);
    expect(own(good)).toEqual([eniId(2)]);
    expect(own({ ...good, ofport: -1 })).toEqual([]);
    expect(own(plug("tap0", 5, eniId(2)))).toEqual([]);
    expect(own(plug("tap0", 5, eniId(2), `${eniId(2)}:9`))).toEqual([]);
    expect(pluggedIn(bridge(1, [good]), bridge(2, []))).toEqual([]);
    expect(pluggedIn(bridge(1, [plug("tap1", 6, eniId(2))]), bridge(2, [good]))).toEqual([]);
  });
});

describe("conntrack zones", () => {
  const zonesOf = (bridges: readonly BridgeSpec[], n = 1) =>
    view(bridges).soleClaim(eniId(n), vpcId(n))?.zones;
  const zoneOf = (bridges: readonly BridgeSpec[], n = 1) => zonesOf(bridges, n)?.called;

  it("are needed to take part, and not to be bound", () => {
    const topology = view([bridge(1, [plug("tap0", 5, eniId(1))])]);
    expect(bindingIn(topology).kind).toBe("bound");
    expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
    expect(topology.ownZones()).toEqual([]);
  });

  it("belong to the interface that is named with them: another in its port has none", () => {
    const marks = [`${eniId(1, 3)}:9`, `${eniId(1, 3)}:8`];
    const none = { caller: undefined, called: undefined };
    expect(zonesOf([bridge(1, [plug("tap0", 5, eniId(1), ...marks)])])).toEqual(none);
  });

  it("are two, and an interface with one of them takes no part yet", () => {
    const mark = (zone: number) => `${eniId(1)}:${zone}`;
    for (const [called, caller] of [
      [mark(9), undefined],
      [undefined, mark(8)],
      [mark(9), mark(9)],
    ] as const) {
      const topology = view([bridge(1, [plug("tap0", 5, eniId(1), called, caller)])]);
      expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
    }
    const copied = zonesOf([bridge(1, [plug("tap0", 5, eniId(1), mark(9), mark(9))])]);
    expect(copied).toEqual({ called: 9, caller: undefined });
  });

  it.each(["", "9", `${eniId(1)}:`, `${eniId(1)}:0`, `${eniId(1)}:65536`, `${eniId(1)}:9x`])(
    "are not read from %j",
    (mark) => {
      const topology = view([bridge(1, [plug("tap0", 5, eniId(1), mark)])]);
      expect(topology.soleClaim(eniId(1), vpcId(1))?.zones.called).toBeUndefined();
      expect(topology.zones).toEqual(new Set());
    },
  );

  it("of two interfaces are one's only: a copied row shares no connections", () => {
    const rivals = [
      bridge(2, [plug("tap1", 5, eniId(2), `${eniId(2)}:9`)]),
      bridge(1, [plug("tap0", 5, eniId(1), `${eniId(1)}:9`)]),
    ];
    expect([zoneOf(rivals, 1), zoneOf(rivals, 2)]).toEqual([9, undefined]);
    expect(view(rivals).ownZones()).toEqual([9]);
  });

  it("are spoken for on the whole host, whoever has marked them", () => {
    const marks = ["eni-elsewhere:77", "eni-elsewhere:76"];
    const theirs = { name: "br-theirs", ports: [plug("eth9", 1, "lsp", ...marks)] };
    const stranger = { ...bridge(3, [plug("tap3", 5, eniId(3), `${eniId(3)}:78`)]), ids: {} };
    const own = bridge(1, [plug("tap0", 5, eniId(1), `${eniId(1)}:9`)]);
    const ovn = { name: "br-int", ids: { "ct-zone-lsp1": "5", "ovn-other": "6" }, ports: [] };
    const topology = view([theirs, stranger, own, ovn]);
    expect([...topology.zones].sort((a, b) => a - b)).toEqual([5, 9, 76, 77, 78]);
    expect(topology.ownZones()).toEqual([9]);
  });
});

describe("changes", () => {
  const before = view([bridge(1, [plug("tap0", 5, eniId(1))]), bridge(2, []), exchange([1, 2])]);

  it("are none between equal states, and none of others' business", () => {
    const after = view([
      bridge(1, [plug("tap0", 5, eniId(1))]),
      bridge(2, []),
      exchange([1, 2]),
      { name: "br-theirs", ports: [{ name: "eth0", ofport: 1 }] },
    ]);
    expect(topologyChanges(before, after, NAMES)).toEqual({ doubtful: new Set(), rebuilt: [] });
  });

  it("are told by VPC: another port number, a patch on the exchange, a rival elsewhere", () => {
    const moved = view([bridge(1, [plug("tap0", 6, eniId(1))]), bridge(2, []), exchange([1, 2])]);
    expect(topologyChanges(before, moved, NAMES).doubtful).toEqual(scopeOf(1));
    const unpatched = view([bridge(1, [plug("tap0", 5, eniId(1))]), bridge(2, []), exchange([1])]);
    expect(topologyChanges(before, unpatched, NAMES).doubtful).toEqual(scopeOf(2));
    const rivals = [bridge(1, [plug("tap0", 5, eniId(1))]), bridge(2, [plug("tap9", 5, eniId(1))])];
    const contested = view([...rivals, exchange([1, 2])]);
    expect(topologyChanges(before, contested, NAMES).doubtful).toEqual(scopeOf(1, 2));
  });

  it("are told when a zone is given, taken or another, and nobody else is bothered", () => {
    const marked = (marks: readonly (string | undefined)[]) => [
      bridge(1, [plug("tap0", 5, eniId(1), ...marks)]),
      bridge(2, []),
      exchange([1, 2]),
    ];
    const between = (from: (string | undefined)[], to: (string | undefined)[]) =>
      topologyChanges(view(marked(from)), view(marked(to)), NAMES);
    const doubts = (from: string | undefined, to: string | undefined) => between([from], [to]);
    const told = { doubtful: scopeOf(1), rebuilt: [] };
    expect(doubts(undefined, `${eniId(1)}:9`)).toEqual(told);
    expect(doubts(`${eniId(1)}:9`, undefined)).toEqual(told);
    expect(doubts(`${eniId(1)}:9`, `${eniId(1)}:10`)).toEqual(told);
    expect(doubts(`${eniId(1)}:9`, `${eniId(1)}:9`).doubtful).toEqual(new Set());
    const [called, caller] = [`${eniId(1)}:9`, `${eniId(1)}:8`];
    expect(between([called, caller], [called, undefined])).toEqual(told);
    expect(between([called, caller], [undefined, called])).toEqual(told);
  });

  it("that cost a bridge its flows name the bridge; of the exchange they concern all", () => {
    const one = { ...bridge(1, [plug("tap0", 5, eniId(1))]), failMode: "standalone" };
    const reset = topologyChanges(before, view([one, bridge(2, []), exchange([1, 2])]), NAMES);
    expect(reset).toEqual({ doubtful: scopeOf(1), rebuilt: [NAMES.vpcBridge(1)] });
    const alone = topologyChanges(before, view([bridge(1, []), bridge(2, [])]), NAMES);
    expect(alone).toEqual({ doubtful: "all", rebuilt: [NAMES.exchange] });
  });
});

/** As long as nothing is known of ports but their rows. */
function bindingIn(topology: Topology): Binding {
  const health = new PortHealth({ settingsOf: () => undefined });
  health.follow(topology);
  return bindingOf(topology, eniId(1), vpcId(1), health);
}

function view(bridges: readonly BridgeSpec[]): Topology {
  return new Topology(replicaOf(bridges), INSTALLATION, NAMES);
}

function bridge(n: number, ports: readonly PortSpec[]): BridgeSpec {
  const ids = { ...OWN, "patchbay-vpc": vpcId(n) };
  return { name: NAMES.vpcBridge(n), failMode: "secure", datapathType: "netdev", ids, ports };
}

function exchange(vpcs: readonly number[]): BridgeSpec {
  const ports = vpcs.map((n) => {
    const ids = { ...OWN, "patchbay-role": "uplink", "patchbay-vpc": vpcId(n) };
    return { name: NAMES.downlink(n), type: "patch", ofport: n, ids };
  });
  return { name: NAMES.exchange, failMode: "secure", datapathType: "netdev", ids: OWN, ports };
}

function plug(
  name: string,
  ofport: number | undefined,
  ifaceId: string,
  called?: string,
  caller?: string,
): PortSpec {
  const ids = { "iface-id": ifaceId, ...zoneMarks(called, caller) };
  return { name, ids, ...(ofport === undefined ? {} : { ofport }) };
}

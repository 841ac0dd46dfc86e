import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { topologyChanges } from "../../../src/backends/ovs/topology-changes.js";
import { eniId, scopeOf, vpcId, vpcIntent } from "../../support/intents.js";
import { type BridgeSpec, type PortSpec, replicaOf } from "./switch-rows.js";

const INSTALLATION = "installation-a";
const NAMES = new SwitchNames(0xa);
const OWN = { "patchbay-installation": INSTALLATION };

describe("bindings", () => {
  it("need one working port on the bridge of the interface's own VPC", () => {
    const topology = view([bridge(1, [plug("tap0", 5, eniId(1))])]);
    expect(topology.binding(eniId(1), vpcId(1))).toEqual({ kind: "bound", port: "tap0" });
    expect(topology.ofVpc(vpcIntent(1, 1)).interfaces).toEqual(new Map([[eniId(1), 5]]));
  });

  it.each([
    ["no port number yet", plug("tap0", undefined, eniId(1))],
    ["no such device", { ...plug("tap0", -1, eniId(1)), error: "could not open" }],
    ["an error beside a number", { ...plug("tap0", 5, eniId(1)), error: "could not set" }],
    ["another interface", plug("tap0", 5, eniId(1, 3))],
  ])("are not made for a port with %s", (_, port) => {
    const topology = view([bridge(1, [port])]);
    expect(topology.binding(eniId(1), vpcId(1))).toEqual({ kind: "unbound" });
    expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
  });

  it("are not made on the bridge of another VPC, nor on one of somebody else", () => {
    const strays = [bridge(2, [plug("tap0", 5, eniId(1))])];
    const theirs = [{ ...bridge(1, [plug("tap0", 5, eniId(1))]), ids: {} }];
    for (const bridges of [strays, theirs]) {
      const topology = view(bridges);
      expect(topology.binding(eniId(1), vpcId(1))).toEqual({ kind: "unbound" });
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
      const binding = topology.binding(eniId(1), vpcId(1));
      expect(binding.kind).toBe("conflict");
      const message = binding.kind === "conflict" ? binding.message : "";
      expect(message).toContain(`tap0 on bridge ${NAMES.vpcBridge(1)}`);
      expect(message).toContain(other);
      expect(topology.ofVpc(vpcIntent(1, 1)).interfaces.size).toBe(0);
    }
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

  it("that cost a bridge its flows name the bridge; of the exchange they concern all", () => {
    const one = { ...bridge(1, [plug("tap0", 5, eniId(1))]), failMode: "standalone" };
    const reset = topologyChanges(before, view([one, bridge(2, []), exchange([1, 2])]), NAMES);
    expect(reset).toEqual({ doubtful: scopeOf(1), rebuilt: [NAMES.vpcBridge(1)] });
    const alone = topologyChanges(before, view([bridge(1, []), bridge(2, [])]), NAMES);
    expect(alone).toEqual({ doubtful: "all", rebuilt: [NAMES.exchange] });
  });
});

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

function plug(name: string, ofport: number | undefined, ifaceId: string): PortSpec {
  return { name, ids: { "iface-id": ifaceId }, ...(ofport === undefined ? {} : { ofport }) };
}

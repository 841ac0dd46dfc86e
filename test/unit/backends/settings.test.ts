import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { readSettings, SETTING_COLUMNS } from "../../../src/backends/ovs/settings/columns.js";
import { compareSettings, systemDrift } from "../../../src/backends/ovs/settings/compare.js";
import { switchSettingsDocument } from "../../../src/backends/ovs/settings/document.js";
import { careFor, RULES } from "../../../src/backends/ovs/settings/rules.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { topologyChanges } from "../../../src/backends/ovs/topology-changes.js";
import { eniId } from "../../support/intents.js";
import { type BridgeSpec, type PortSpec, replicaOf } from "./switch-rows.js";

const NAMES = new SwitchNames(0xa1b2c3);
const BRIDGE = NAMES.vpcBridge(1);
const OWN = { "patchbay-installation": "i" };
const OURS = { ...OWN, "patchbay-role": "vpc", "patchbay-vpc": "vpc-1" };
const UPLINK = { ...OWN, "patchbay-role": "uplink", "patchbay-vpc": "vpc-1" };
const PLUGGED = { "iface-id": eniId(1) };

function bridge(columns: BridgeSpec["columns"], ports: readonly PortSpec[] = []): BridgeSpec {
  const local = { name: BRIDGE, type: "internal", ofport: 65534, ids: OURS };
  const shape = { name: BRIDGE, failMode: "secure", datapathType: "netdev", ids: OURS };
  return { ...shape, ports: [local, ...ports], ...(columns && { columns }) };
}

function topologyOf(spec: BridgeSpec): Topology {
  return new Topology(replicaOf([spec]), "i", NAMES);
}

function compare(spec: BridgeSpec) {
  const view = topologyOf(spec).bridges.get(BRIDGE);
  if (view === undefined) throw new Error("no bridge");
  const { corrections, reported } = compareSettings(view, false);
  return {
    restored: corrections.map(({ drift }) => `${drift.setting}=${drift.found}>${drift.wanted}`),
    reported: reported.map(({ object, setting, found }) => `${object} ${setting}=${found}`),
    operations: corrections.map(({ operation }) => operation),
  };
}

describe("the settings of a row", () => {
  it("are those that are not at their defaults, as ovs-vsctl names them", () => {
    const row = {
      protocols: ["set", ["OpenFlow13", "OpenFlow10"]],
      stp_enable: true,
      rstp_enable: false,
      controller: ["uuid", "c"],
      mirrors: ["set", []],
      other_config: ["map", [["forward-bpdu", "true"]]],
      name: "br0",
    };
    expect([...readSettings("Bridge", row)].sort()).toEqual([
      ["controller", "c"],
      ["other_config:forward-bpdu", "true"],
      ["protocols", "OpenFlow10,OpenFlow13"],
      ["stp_enable", "true"],
    ]);
  });

  it("tell VLAN 0 from none, and no rate from a rate", () => {
    expect([...readSettings("Port", { tag: 0 })]).toEqual([["tag", "0"]]);
    const rates = { ingress_policing_rate: 0, ingress_policing_burst: 8 };
    expect([...readSettings("Interface", rates)]).toEqual([["ingress_policing_burst", "8"]]);
  });
});

describe("rules", () => {
  it("are there for every column that is watched, and name no other", () => {
    const named = new Set(RULES.map(({ table, setting }) => `${table} ${setting.split(":")[0]}`));
    const watched = Object.entries(SETTING_COLUMNS).flatMap(([table, columns]) =>
      columns.map((column) => `${table} ${column}`),
    );
    expect([...named].sort()).toEqual([...watched, "Port interfaces"].sort());
  });

  it("report what nobody thought of, and leave what is nobody's business", () => {
    expect(careFor("Bridge", "other_config:brand-new", "ours")).toBe("reported");
    expect(careFor("Bridge", "other_config:dp-desc", "ours")).toBe("ignored");
    expect(careFor("Open_vSwitch", "other_config:pmd-cpu-mask", "other")).toBe("ignored");
    expect(careFor("Port", "tag", "plugged")).toBe("restored");
    expect(careFor("Port", "tag", "other")).toBe("reported");
  });

  it("are what docs/switch-settings.md says", async () => {
    const page = await readFile(
      new URL("../../../docs/switch-settings.md", import.meta.url),
      "utf8",
    );
    expect(page).toBe(switchSettingsDocument());
  });
});

describe("settings of a bridge and its ports", () => {
  it("are none that need anything as they are made", () => {
    const uplink = { name: NAMES.uplink(1), type: "patch", ids: UPLINK };
    expect(compare(bridge(undefined, [uplink]))).toEqual({
      restored: [],
      reported: [],
      operations: [],
    });
  });

  it("are put right by what they need and no more", () => {
    const config = ["map", [["disable-in-band", "false"]]];
    const columns = { stp_enable: true, controller: ["uuid", "c"], other_config: config };
    const uplink = { name: NAMES.uplink(1), type: "patch", ids: UPLINK, port: { trunks: 7 } };
    const { restored, reported, operations } = compare(bridge(columns, [uplink]));
    expect(restored).toEqual([
      "other_config:disable-in-band=false>true",
      "controller=c>unset",
      "stp_enable=true>false",
      "trunks=7>4094",
    ]);
    expect(reported).toEqual([]);
    expect(operations).toMatchObject([
      { op: "mutate", table: "Bridge" },
      { op: "update", row: { controller: ["set", []] } },
      { op: "update", row: { stp_enable: false } },
      { op: "update", table: "Port", row: { trunks: 4094 } },
    ]);
  });

  it("of a port that is plugged in are put right for VLANs alone, of a stranger's not at all", () => {
    const changed = { port: { tag: 7, protected: true }, interface: { mtu_request: 900 } };
    const plugged = { name: "tap0", ids: PLUGGED, ...changed };
    const found = compare(bridge(undefined, [plugged, { name: "eth9", port: { tag: 5 } }]));
    expect(found.restored).toEqual(["tag=7>unset"]);
    expect(found.reported).toEqual([
      "port tap0 protected=true",
      "interface tap0 mtu_request=900",
      "port eth9 tag=5",
    ]);
  });

  it("of the host are reported where they bear on packets", () => {
    const settings = new Map([
      ["other_config:flow-limit", "7"],
      ["other_config:dpdk-init", "true"],
    ]);
    expect(systemDrift(settings)).toEqual([
      { object: "host", setting: "other_config:flow-limit", found: "7", wanted: null },
    ]);
  });
});

describe("a change of settings", () => {
  const before = topologyOf(bridge(undefined, [{ name: "tap0", ids: PLUGGED }]));

  it.each([
    ["of the bridge", bridge({ stp_enable: true }, [{ name: "tap0", ids: PLUGGED }])],
    ["of a port", bridge(undefined, [{ name: "tap0", ids: PLUGGED, port: { tag: 7 } }])],
    [
      "of an interface",
      bridge(undefined, [
        { name: "tap0", ids: PLUGGED, interface: { lldp: ["map", [["enable", "true"]]] } },
      ]),
    ],
  ])("%s is doubt about the VPC", (_, spec) => {
    const { doubtful, rebuilt } = topologyChanges(before, topologyOf(spec), NAMES);
    expect([...doubtful]).toEqual(["vpc-1"]);
    expect(rebuilt).toEqual([]);
  });

  it("that brings a controller or takes it away flushes the flows", () => {
    const after = topologyOf(
      bridge({ controller: ["uuid", "c"] }, [{ name: "tap0", ids: PLUGGED }]),
    );
    expect(topologyChanges(before, after, NAMES).rebuilt).toEqual([BRIDGE]);
    expect(topologyChanges(after, before, NAMES).rebuilt).toEqual([BRIDGE]);
  });
});

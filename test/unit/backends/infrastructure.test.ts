import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { planInfrastructure } from "../../../src/backends/ovs/infrastructure.js";
import {
  creationOperations,
  removalOperations,
} from "../../../src/backends/ovs/infrastructure-operations.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type BridgeSpec, type PortSpec, replicaOf } from "./switch-rows.js";

const INSTALLATION = "installation-a";
const MARK = 0xa1b2c3;
const NAMES = new SwitchNames(MARK);
const OPTIONS = {
  identity: { installationId: INSTALLATION, mark: MARK },
  names: NAMES,
  datapath: "netdev",
} as const;
const OWN = { "patchbay-installation": INSTALLATION };

describe("names", () => {
  it("fit a network device, tell bridges, ports and installations apart", () => {
    const largest = 2 ** 31 - 1;
    const all = [1, 2, largest].flatMap((n) => [
      NAMES.vpcBridge(n),
      NAMES.uplink(n),
      NAMES.downlink(n),
    ]);
    all.push(NAMES.exchange, new SwitchNames(1).exchange);
    expect(new Set(all).size).toBe(all.length);
    for (const name of all) expect(name).toMatch(/^pb[0-9a-f]{6}[vpqx][0-9a-z]{0,6}$/);
    expect(new SwitchNames(1).exchange).toBe("pb000001x");
  });
});

describe("what is missing", () => {
  it("is made in one transaction: bridges that drop by default, with both ends of each patch", () => {
    const plan = planFor([], [1, 2]);
    const operations = creationOperations(plan.work);
    const inserted = operations.filter(({ op }) => op === "insert");
    const rows = inserted.map((operation) => operation["row"] as Record<string, unknown>);
    const bridges = rows.filter((row) => "fail_mode" in row);
    expect(bridges.map(({ name }) => name)).toEqual([
      NAMES.vpcBridge(1),
      NAMES.vpcBridge(2),
      NAMES.exchange,
    ]);
    for (const bridge of bridges) {
      expect(bridge).toMatchObject({ fail_mode: "secure", datapath_type: "netdev" });
    }
    const patches = rows.filter(({ type }) => type === "patch");
    expect(patches.map(({ name, options }) => [name, options])).toEqual([
      [NAMES.uplink(1), ["map", [["peer", NAMES.downlink(1)]]]],
      [NAMES.uplink(2), ["map", [["peer", NAMES.downlink(2)]]]],
      [NAMES.downlink(1), ["map", [["peer", NAMES.uplink(1)]]]],
      [NAMES.downlink(2), ["map", [["peer", NAMES.uplink(2)]]]],
    ]);
    for (const row of rows) {
      expect(JSON.stringify(row["external_ids"])).toContain(INSTALLATION);
    }
  });

  it("is nothing when everything is as it should be", () => {
    const plan = planFor([exchange([1]), vpcBridge(1)], [1]);
    expect(plan.work).toEqual([]);
    expect(plan.clashes).toEqual(new Map());
    expect([...plan.goneBridges, ...plan.gonePorts]).toEqual([]);
  });

  it("is only the port that is not there", () => {
    const plan = planFor([exchange([]), vpcBridge(1)], [1]);
    const operations = creationOperations(plan.work);
    expect(operations.map(({ op, table }) => [op, table])).toEqual([
      ["insert", "Interface"],
      ["insert", "Port"],
      ["mutate", "Bridge"],
    ]);
    expect(operations[2]).toMatchObject({
      where: [["_uuid", "==", ["uuid", `b-${NAMES.exchange}`]]],
      mutations: [["ports", "insert", ["set", [["named-uuid", `port_${NAMES.downlink(1)}`]]]]],
    });
  });
});

describe("what is wrong", () => {
  it.each([
    ["fail_mode", { failMode: "standalone" }],
    ["datapath_type", { datapathType: "" }],
  ])("in a bridge's %s is set right, and other people's keys are kept", (_, damage) => {
    const ids = { ...vpcBridge(1).ids, theirs: "x" };
    const plan = planFor([exchange([1]), { ...vpcBridge(1), ids, ...damage }], [1]);
    const [update, ...others] = creationOperations(plan.work);
    expect(others).toEqual([]);
    expect(update).toMatchObject({
      op: "update",
      row: { fail_mode: "secure", datapath_type: "netdev" },
    });
    expect(JSON.stringify(update?.["row"])).toContain('["theirs","x"]');
  });

  it("in a patch port is set right", () => {
    const bridge = vpcBridge(1);
    const [local, uplink] = bridge.ports as [PortSpec, PortSpec];
    const plan = planFor(
      [exchange([1]), { ...bridge, ports: [local, { ...uplink, peer: "elsewhere" }] }],
      [1],
    );
    const operations = creationOperations(plan.work);
    expect(operations.map(({ op, table }) => [op, table])).toEqual([
      ["update", "Port"],
      ["update", "Interface"],
    ]);
    expect(operations[1]).toMatchObject({
      row: { type: "patch", options: ["map", [["peer", NAMES.downlink(1)]]] },
    });
  });
});

describe("what another tool has cleared the marks of", () => {
  it("is ours by what is left of them, and is marked again", () => {
    const [local, uplink] = vpcBridge(1).ports as [PortSpec, PortSpec];
    const unmarked = { ...uplink, port: { external_ids: ["map", []] } };
    const bridge = { ...vpcBridge(1), ids: {}, ports: [local, unmarked] };
    const plan = planFor([exchange([1]), bridge], [1]);
    expect(plan.clashes).toEqual(new Map());
    const marked = creationOperations(plan.work).filter((operation) =>
      JSON.stringify(operation["row"]).includes(INSTALLATION),
    );
    expect(marked.map(({ table }) => table)).toEqual(["Port", "Interface", "Bridge"]);
    expect(plan.settings.get(NAMES.vpcBridge(1))).toContainEqual({
      object: `bridge ${NAMES.vpcBridge(1)}`,
      setting: "external_ids:patchbay-role",
      found: "unset",
      wanted: "vpc",
    });
  });
});

describe("what belongs to somebody else", () => {
  it.each([
    ["a bridge", { ...vpcBridge(1), ids: {}, ports: [stranger(NAMES.vpcBridge(1))] }],
    [
      "a bridge of another installation",
      { ...vpcBridge(1), ids: { ...OWN, "patchbay-installation": "b" } },
    ],
    ["a bridge of another VPC", { ...vpcBridge(1), ids: { ...OWN, "patchbay-vpc": "vpc-9" } }],
    ["a port", { name: "br-theirs", ports: [{ name: NAMES.uplink(1) }] }],
    ["a port with the bridge's name", { name: "br-theirs", ports: [{ name: NAMES.vpcBridge(1) }] }],
  ])("keeps its name: %s", (_, theirs) => {
    const plan = planFor([exchange([]), theirs], [1, 2]);
    expect([...plan.clashes.keys()]).toEqual(["vpc-1"]);
    const touched = JSON.stringify(creationOperations(plan.work));
    expect(touched).not.toContain(NAMES.vpcBridge(1));
    expect(touched).not.toContain(NAMES.downlink(1));
    expect(touched).toContain(NAMES.vpcBridge(2));
    expect(plan.goneBridges).toEqual([]);
  });

  it("stops every VPC when it is the exchange", () => {
    const plan = planFor([{ ...exchange([]), ids: {}, ports: [stranger(NAMES.exchange)] }], [1, 2]);
    expect(plan.exchangeClash).toMatch(/does not belong/);
    expect(plan.clashes.size).toBe(2);
    expect(plan.work).toEqual([]);
  });
});

describe("what is left of VPCs that are gone", () => {
  const there = [exchange([1, 2, 3]), vpcBridge(1), vpcBridge(2), vpcBridge(3)];
  const theirs = { name: "br-theirs", ports: [{ name: "eth0" }] };

  it("goes when everything is looked at", () => {
    const plan = planFor([...there, theirs], [1]);
    expect(plan.goneBridges.map(({ row }) => row.name)).toEqual([
      NAMES.vpcBridge(2),
      NAMES.vpcBridge(3),
    ]);
    expect(plan.gonePorts.map(({ row }) => row.name)).toEqual([
      NAMES.downlink(2),
      NAMES.downlink(3),
    ]);
    const operations = removalOperations(plan, `b-${NAMES.exchange}`);
    expect(operations.map(({ table }) => table)).toEqual(["Open_vSwitch", "Bridge"]);
    expect(JSON.stringify(operations)).not.toContain("br-theirs");
  });

  it("goes for the VPCs named, and stays for all others", () => {
    const topology = new Topology(replicaOf(there), INSTALLATION, NAMES);
    const intent = slice(scopeOf(1, 2), [vpcIntent(1)]);
    const plan = planInfrastructure(intent, topology, OPTIONS);
    expect(plan.goneBridges.map(({ row }) => row.name)).toEqual([NAMES.vpcBridge(2)]);
    expect(plan.gonePorts.map(({ row }) => row.name)).toEqual([NAMES.downlink(2)]);
  });
});

function planFor(bridges: readonly BridgeSpec[], vpcs: readonly number[]) {
  const topology = new Topology(replicaOf(bridges), INSTALLATION, NAMES);
  const intent = slice(
    "all",
    vpcs.map((n) => vpcIntent(n)),
  );
  return planInfrastructure(intent, topology, OPTIONS);
}

function stranger(name: string): PortSpec {
  return { name, type: "internal", ofport: 65534 };
}

function vpcBridge(n: number): BridgeSpec {
  const ids = { ...OWN, "patchbay-role": "vpc", "patchbay-vpc": `vpc-${n}` };
  const name = NAMES.vpcBridge(n);
  const local = { name, type: "internal", ofport: 65534, ids };
  const uplink = patch(NAMES.uplink(n), NAMES.downlink(n), n);
  return { name, failMode: "secure", datapathType: "netdev", ids, ports: [local, uplink] };
}

function exchange(vpcs: readonly number[]): BridgeSpec {
  const ids = { ...OWN, "patchbay-role": "exchange" };
  const name = NAMES.exchange;
  const local = { name, type: "internal", ofport: 65534, ids };
  const ports = vpcs.map((n) => patch(NAMES.downlink(n), NAMES.uplink(n), n));
  return { name, failMode: "secure", datapathType: "netdev", ids, ports: [local, ...ports] };
}

function patch(name: string, peer: string, n: number): PortSpec {
  const ids = { ...OWN, "patchbay-role": "uplink", "patchbay-vpc": `vpc-${n}` };
  return { name, type: "patch", peer, ofport: n, ids };
}

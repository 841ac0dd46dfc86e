import { expect, it } from "vitest";
import { SwitchNames } from "../../../src/backends/names.js";
import { type DeviceAddresses, HostReach } from "../../../src/backends/ovs/host-reach.js";
import { Topology } from "../../../src/backends/ovs/topology.js";
import { eniId, vpcId } from "../../support/intents.js";
import { replicaOf } from "./switch-rows.js";

const INSTALLATION = "installation-a";
const NAMES = new SwitchNames(0xa);
const LINK_LOCAL = "fe80::1";

/** The first VPC's interface by two ports on its own bridge, and by one on the second VPC's. */
const TOPOLOGY = new Topology(
  replicaOf([bridge(1, ["tap0", "tap1"]), bridge(2, ["tap2"])]),
  INSTALLATION,
  NAMES,
);

function bridge(n: number, ports: readonly string[]) {
  const ids = { "patchbay-installation": INSTALLATION, "patchbay-vpc": vpcId(n) };
  const claim = { "iface-id": eniId(1) };
  return {
    name: NAMES.vpcBridge(n),
    ids,
    ports: ports.map((name, index) => ({ name, ofport: index + 1, ids: claim })),
  };
}

function seenOf(addresses: Record<string, string[]>, ovsdb = "unix:/run/db.sock") {
  const read = () => new Map(Object.entries(addresses));
  return new HostReach({ ovsdb, read }).warnings(TOPOLOGY, eniId(1), vpcId(1));
}

it("names the port, its addresses and what to do", () => {
  const [warning, ...others] = seenOf({ tap0: [LINK_LOCAL, "192.0.2.1"], eth0: ["192.0.2.2"] });
  expect(others).toEqual([]);
  expect(warning?.code).toBe("hostReachable");
  for (const part of ["tap0", NAMES.vpcBridge(1), LINK_LOCAL, "192.0.2.1", "ovs/close-port.sh"]) {
    expect(warning?.message).toContain(part);
  }
});

it("is silent while no device of a port carries an address", () => {
  expect(seenOf({ eth0: ["192.0.2.2"], lo: ["127.0.0.1"] })).toEqual([]);
});

it("looks at every port that claims the interface, but at none of another VPC", () => {
  expect(seenOf({ tap0: [LINK_LOCAL], tap1: [LINK_LOCAL], tap2: [LINK_LOCAL] })).toHaveLength(2);
});

it("knows nothing of the devices of another host", () => {
  expect(seenOf({ tap0: [LINK_LOCAL] }, "tcp:192.0.2.9:6640")).toEqual([]);
});

it("asks the kernel once a second, however often it is asked", () => {
  let now = 0;
  let asked = 0;
  let addresses: DeviceAddresses = new Map();
  const read = () => {
    asked += 1;
    return addresses;
  };
  const reach = new HostReach({ ovsdb: "unix:/run/db.sock", read, now: () => now });
  const count = () => reach.warnings(TOPOLOGY, eniId(1), vpcId(1)).length;
  expect([count(), count(), asked]).toEqual([0, 0, 1]);
  addresses = new Map([["tap0", [LINK_LOCAL]]]);
  now = 999;
  expect(count()).toBe(0);
  now = 1000;
  expect([count(), asked]).toEqual([1, 2]);
});

it("tells of a device of the host that a port is part of", () => {
  const above = (device: string) => (device === "tap1" ? ["docker0"] : []);
  const reach = new HostReach({ ovsdb: "unix:/run/db.sock", read: () => new Map(), above });
  const [warning, ...others] = reach.warnings(TOPOLOGY, eniId(1), vpcId(1));
  expect(others).toEqual([]);
  expect(warning?.message).toContain("device tap1");
  expect(warning?.message).toContain("docker0");
});

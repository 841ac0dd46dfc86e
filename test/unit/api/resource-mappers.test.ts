import { describe, expect, test } from "vitest";
import {
  presentDrops,
  presentNetworkInterface,
} from "../../../src/api/rest/network-interfaces/mapper.js";
import { presentRouteTable } from "../../../src/api/rest/route-tables/mapper.js";
import { presentVpc } from "../../../src/api/rest/vpcs/mapper.js";
import { cidr, parseIp } from "../../../src/domain/cidr.js";
import type { Binding, DataPlaneStatus } from "../../../src/domain/data-plane.js";
import type { NetworkInterface, RouteTable, Vpc } from "../../../src/domain/resources.js";
import { view } from "./fixtures.js";

const NOW = new Date("2026-01-01T00:00:00.000Z");

function ip(text: string) {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

const described = { name: null, tags: { env: "test" }, generation: 3, createdAt: NOW };

const eni: NetworkInterface = {
  ...described,
  id: "eni-1",
  number: 1,
  tenantId: "111",
  vpcId: "vpc-a",
  subnetId: "subnet-1",
  privateIp: ip("10.0.0.4"),
  secondaryPrivateIps: [ip("10.0.0.9")],
  macAddress: "02:00:00:00:00:01",
  allowedAddressPairs: [
    { block: cidr("10.0.0.64/28"), macAddress: null },
    { block: cidr("10.0.0.9/32"), macAddress: "00:00:5e:00:01:01" },
  ],
  gateway: ip("10.0.0.1"),
  securityGroupIds: ["sg-1"],
};

const vpc: Vpc = {
  ...described,
  id: "vpc-a",
  number: 9,
  tenantId: "111",
  blocks: [{ block: cidr("10.0.0.0/16"), primary: true }],
};

function status(state: DataPlaneStatus["state"], message?: string): DataPlaneStatus {
  const base = { state, generation: 3, observedGeneration: 3 };
  return message === undefined ? base : { ...base, message };
}

const BOUND: Binding = { kind: "bound", port: "veth1" };
const UNBOUND: Binding = { kind: "unbound" };
const CONFLICT: Binding = { kind: "conflict", message: "two ports claim it" };
const DEAD: Binding = { kind: "dead", port: "tap0", message: "tap0: its device is gone" };
const AWAITED: Binding = { kind: "unbound", message: "tap0 has not been opened" };

describe("the drops of a network interface", () => {
  const none = { packets: 0, bytes: 0 };
  const counts = {
    spoofed: { packets: 3, bytes: 180 },
    noRoute: none,
    blackhole: none,
    egressPolicy: none,
    notAdmitted: none,
    ingressPolicy: none,
    connectionLimit: none,
  };

  test("are its counters, and since when", () => {
    expect(presentDrops("eni-1", { seconds: 59.4, counts }, view(), NOW)).toEqual({
      networkInterfaceId: "eni-1",
      readAt: "2026-01-01T00:00:00.000Z",
      since: "2025-12-31T23:59:00.000Z",
      reasons: counts,
    });
  });

  test.each([
    ["noop", BOUND, /no-op/],
    ["ovs", UNBOUND, /iface-id=eni-1/],
    ["ovs", CONFLICT, /two ports claim it/],
    ["ovs", DEAD, /device is gone/],
    ["ovs", BOUND, /not been programmed/],
  ] as const)("are null where nothing counts, and say why: %s, %j", (backend, binding, message) => {
    const board = view({ backend, binding: () => binding });
    const presented = presentDrops("eni-1", null, board, NOW);
    expect(presented).toMatchObject({ since: null, reasons: null });
    expect(presented.message).toMatch(message);
  });
});

describe("a network interface", () => {
  test.each([
    ["programmed", BOUND, "in-use", "programmed", undefined],
    ["pending", BOUND, "in-use", "pending", undefined],
    ["programmed", UNBOUND, "available", "pending", /iface-id=eni-1/],
    ["programmed", CONFLICT, "available", "error", /two ports claim it/],
    ["pending", CONFLICT, "available", "error", /two ports claim it/],
    ["programmed", DEAD, "available", "error", /device is gone/],
    ["pending", DEAD, "available", "error", /device is gone/],
    ["error", DEAD, "available", "error", /away/],
    ["programmed", AWAITED, "available", "pending", /tap0/],
    ["noop", UNBOUND, "available", "noop", undefined],
    ["error", BOUND, "in-use", "error", /away/],
    ["error", CONFLICT, "available", "error", /away/],
  ] as const)("VPC %s, %j: %s, %s", (vpcState, binding, state, shown, message) => {
    const vpcStatus = status(vpcState, vpcState === "error" ? "switch away" : undefined);
    const board = view({ status: () => vpcStatus, binding: () => binding });
    const presented = presentNetworkInterface(eni, board);
    expect(presented.state).toBe(state);
    expect(presented.dataPlane.state).toBe(shown);
    if (message === undefined) expect(presented.dataPlane.message).toBeUndefined();
    else expect(presented.dataPlane.message).toMatch(message);
  });

  test("shows what is amiss with its port", () => {
    const warning = { code: "hostReachable", message: "tap0 carries an address" } as const;
    const board = view({ binding: () => BOUND, portWarnings: () => [warning] });
    expect(presentNetworkInterface(eni, board).warnings).toEqual([warning]);
    expect(presentNetworkInterface(eni, view()).warnings).toEqual([]);
  });

  test("is not in use while nothing passes through the switch", () => {
    const frozen = view({ binding: () => BOUND, outage: () => "the switch waits" });
    expect(presentNetworkInterface(eni, frozen).state).toBe("available");
  });

  test("shows its addresses", () => {
    expect(presentNetworkInterface(eni, view())).toMatchObject({
      privateIp: "10.0.0.4",
      gateway: "10.0.0.1",
      tags: { env: "test" },
      createdAt: "2026-01-01T00:00:00.000Z",
    });
  });
});

test.each([
  [true, "programmed", "available"],
  [true, "pending", "available"],
  [true, "error", "available"],
  [false, "pending", "pending"],
  [false, "error", "pending"],
] as const)("a VPC, made: %s, whose data plane is %s is %s", (isMade, dataPlane, state) => {
  const presented = presentVpc(
    vpc,
    view({ isMade: () => isMade, status: () => status(dataPlane) }),
  );
  expect(presented).toMatchObject({
    state,
    bridge: "bridge9",
    cidrBlocks: [{ cidrBlock: "10.0.0.0/16", primary: true }],
    dataPlane: { state: dataPlane },
  });
});

describe("a route table", () => {
  const table: RouteTable = {
    id: "rtb-1",
    number: 5,
    tenantId: "111",
    vpcId: "vpc-a",
    main: false,
    vpcBlocks: [cidr("10.0.0.0/16")],
    routes: [
      { destination: cidr("0.0.0.0/0"), vpcPeeringId: "pcx-1", origin: "user", active: false },
      { destination: cidr("10.1.0.0/16"), vpcPeeringId: "pcx-2", origin: "peering", active: true },
    ],
    withheldRoutes: [
      {
        destination: cidr("10.1.4.0/24"),
        vpcPeeringId: "pcx-3",
        contestedBy: "pcx-2",
        withheldAt: NOW,
      },
    ],
    associations: ["subnet-1"],
    generation: 3,
    createdAt: NOW,
  };

  test("shows local routes first, and which of the others pass packets", () => {
    const { routes } = presentRouteTable(table, view());
    expect(routes.map((route) => Object.values(route))).toEqual([
      ["10.0.0.0/16", "local", "active", "local"],
      ["0.0.0.0/0", "pcx-1", "blackhole", "user"],
      ["10.1.0.0/16", "pcx-2", "active", "peering"],
    ]);
  });

  test("shows what was withheld apart from its routes", () => {
    expect(presentRouteTable(table, view()).withheldRoutes).toEqual([
      {
        destinationCidrBlock: "10.1.4.0/24",
        target: "pcx-3",
        contestedBy: "pcx-2",
        withheldAt: NOW.toISOString(),
      },
    ]);
  });

  test("has the status of its VPC", () => {
    const asked: unknown[] = [];
    const board = view({
      status: (vpcIds, generation) => {
        asked.push([...vpcIds], generation);
        return status("pending");
      },
    });
    expect(presentRouteTable(table, board).dataPlane.state).toBe("pending");
    expect(asked).toEqual([["vpc-a"], 3]);
  });
});

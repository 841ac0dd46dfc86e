import { describe, expect, it, vi } from "vitest";
import { CT_COLUMNS, requestsFor } from "../../../../src/backends/ovs/ct/columns.js";
import {
  type TimeoutOptions,
  timeoutOperations,
  viewTimeouts,
  zonesOfOthers,
} from "../../../../src/backends/ovs/ct/timeouts.js";
import { ZoneTimeouts } from "../../../../src/backends/ovs/ct/zone-timeouts.js";
import { Replica } from "../../../../src/backends/ovs/replica.js";
import type { ZoneHolder } from "../../../../src/backends/ovs/topology.js";

const OPTIONS: TimeoutOptions = {
  datapath: "netdev",
  installationId: "ours",
  timeouts: { tcpEstablished: 432_000, udpStream: 180, udpSingle: 30 },
};
const KINDS = [
  ["tcp_established", 432_000],
  ["udp_first", 30],
  ["udp_single", 30],
  ["udp_multiple", 180],
] as const;
const TEXT = "tcp_established=432000 udp_first=30 udp_multiple=180 udp_single=30";

interface Rows {
  readonly entries?: Readonly<Record<number, string>>;
  readonly kinds?: readonly (readonly [string, number])[];
  readonly policy?: string | null;
  readonly capabilities?: Readonly<Record<string, string>>;
}

const marked = (id: string) => ["map", [["patchbay-installation", id]]];

/** A database with a datapath row, our row and policy, and those of somebody else. */
function database({ entries = {}, kinds = KINDS, policy = "tp", capabilities = {} }: Rows = {}) {
  const replica = new Replica();
  const zones = Object.entries(entries).map(([zone, row]) => [Number(zone), ["uuid", row]]);
  const reference = policy === null ? ["set", []] : ["uuid", policy];
  replica.apply({
    Open_vSwitch: { s: { new: { datapaths: ["map", [["netdev", ["uuid", "dp"]]]] } } },
    Datapath: {
      dp: {
        new: { ct_zones: ["map", zones], capabilities: ["map", Object.entries(capabilities)] },
      },
    },
    CT_Zone: {
      z: { new: { timeout_policy: reference, external_ids: marked("ours") } },
      other: { new: { timeout_policy: ["uuid", "theirs"], external_ids: marked("theirs") } },
    },
    CT_Timeout_Policy: {
      tp: { new: { timeouts: ["map", kinds], external_ids: marked("ours") } },
      theirs: { new: { timeouts: ["map", [["udp_first", 1]]], external_ids: ["map", []] } },
    },
  });
  return replica;
}

const operations = (replica: Replica, zones: readonly number[]) =>
  timeoutOperations(viewTimeouts(replica, OPTIONS), zones, OPTIONS);

describe("operations for time-outs", () => {
  it("make every row where there is none, in one transaction", () => {
    const policy = { timeouts: ["map", KINDS], external_ids: marked("ours") };
    const zone = ["named-uuid", "patchbay_zone"];
    expect(operations(new Replica(), [1, 2])).toMatchObject([
      { op: "insert", table: "CT_Timeout_Policy", row: policy },
      {
        op: "insert",
        table: "CT_Zone",
        row: { timeout_policy: ["named-uuid", "patchbay_policy"] },
      },
      {
        op: "insert",
        table: "Datapath",
        row: {
          ct_zones: [
            "map",
            [
              [1, zone],
              [2, zone],
            ],
          ],
        },
      },
      {
        op: "mutate",
        table: "Open_vSwitch",
        mutations: [
          ["datapaths", "insert", ["map", [["netdev", ["named-uuid", "patchbay_datapath"]]]]],
        ],
      },
    ]);
  });

  it("are none where all is right, or where there is no zone", () => {
    expect(operations(database({ entries: { 1: "z", 9: "z", 7: "other" } }), [1])).toEqual([]);
    expect(operations(new Replica(), [])).toEqual([]);
    expect(operations(database({ entries: { 9: "z" } }), [])).toEqual([]);
  });

  it("add what lacks to the row that is there, drop what is gone, and leave others' zones", () => {
    const replica = database({ entries: { 1: "z", 2: "other", 7: "other", 9: "z" } });
    expect(operations(replica, [1, 2, 3])).toEqual([
      {
        op: "mutate",
        table: "Datapath",
        where: [["_uuid", "==", ["uuid", "dp"]]],
        mutations: [
          ["ct_zones", "delete", ["set", [2, 3, 9]]],
          [
            "ct_zones",
            "insert",
            [
              "map",
              [
                [2, ["uuid", "z"]],
                [3, ["uuid", "z"]],
              ],
            ],
          ],
        ],
      },
    ]);
    expect(zonesOfOthers(viewTimeouts(replica, OPTIONS))).toEqual([2, 7]);
  });

  it.each([
    ["other settings", { kinds: [["udp_first", 9]] as const }, "update CT_Timeout_Policy"],
    ["one more", { kinds: [...KINDS, ["icmp_first", 1]] as const }, "update CT_Timeout_Policy"],
    ["no policy", { policy: null }, "insert CT_Timeout_Policy"],
    ["somebody else's policy", { policy: "theirs" }, "insert CT_Timeout_Policy"],
  ])("put right a row with %s", (_, rows, first) => {
    const made = operations(database({ ...rows, entries: { 1: "z" } }), [1]);
    expect(made.map(({ op, table }) => `${op} ${String(table)}`)[0]).toBe(first);
    expect(made).not.toContainEqual(expect.objectContaining({ table: "Open_vSwitch" }));
  });
});

describe("time-outs that somebody has changed", () => {
  const holder: ZoneHolder = {
    zone: 1,
    side: "called",
    networkInterfaceId: "eni-1",
    bridge: "br1",
    vpcId: "vpc-1",
  };
  const hear = () => vi.fn<(details: object, message: string) => void>();
  const log = { info: hear(), warn: hear() };
  const make = () => new ZoneTimeouts({ ...OPTIONS, exchange: "br0", log });
  const becomes = (replica: Replica, next: Replica) => {
    replica.datapaths.clear();
    replica.timeoutPolicies.clear();
    for (const [key, row] of next.datapaths) replica.datapaths.set(key, row);
    for (const [key, row] of next.timeoutPolicies) replica.timeoutPolicies.set(key, row);
  };

  it("are news once, and only where they had been seen to be right", () => {
    const timeouts = make();
    const replica = database();
    expect(timeouts.check(replica, [holder]), "not written yet").toEqual([]);
    expect(timeouts.wrong(replica, [holder])).toHaveLength(1);
    becomes(replica, database({ entries: { 1: "z" } }));
    expect(timeouts.check(replica, [holder])).toEqual([]);
    expect(timeouts.wrong(replica, [holder])).toEqual([]);
    becomes(replica, database({ entries: { 1: "other" } }));
    const object = "conntrack zone 1 (eni-1, called)";
    const drift = { object, setting: "time-outs", found: "udp_first=1", wanted: TEXT };
    const change = { bridge: "br1", vpcId: "vpc-1", drift };
    expect(timeouts.check(replica, [holder])).toEqual([change]);
    expect(timeouts.check(replica, [holder])).toEqual([]);
    expect(timeouts.wrong(replica, [holder])).toEqual([change]);
  });

  it("concern all where they are those of the policy", () => {
    const timeouts = make();
    const replica = database({ entries: { 1: "z" } });
    timeouts.check(replica, [holder]);
    becomes(replica, database({ entries: { 1: "z" }, kinds: [["udp_first", 9]] }));
    expect(timeouts.check(replica, [holder])).toMatchObject([
      { bridge: "br0", vpcId: null, drift: { found: "udp_first=9", wanted: TEXT } },
    ]);
  });

  it("are no news of another connection to the database", () => {
    const timeouts = make();
    timeouts.check(database({ entries: { 1: "z" } }), [holder]);
    expect(timeouts.check(database(), [holder])).toEqual([]);
  });

  it.each([
    ["database", () => Object.assign(new Replica(), { knowsConntrackZones: false })],
    ["datapath", () => database({ entries: { 1: "z" }, capabilities: { ct_timeout: "false" } })],
  ])("cannot be had where the %s knows none: that is told once, and shown", (_, make2) => {
    log.warn.mockClear();
    const timeouts = make();
    const replica = make2();
    timeouts.check(replica, [holder]);
    timeouts.check(replica, [holder]);
    expect(log.warn).toHaveBeenCalledTimes(1);
    expect(timeouts.wrong(replica, [holder])).toMatchObject([
      { vpcId: null, drift: { found: "not supported", wanted: null } },
    ]);
    expect(timeouts.operations(replica, [1])).toEqual([]);
  });
});

describe("what is asked of the database", () => {
  const requests = {
    Open_vSwitch: { columns: ["cur_cfg", "datapaths"] },
    Bridge: { columns: ["name"] },
    Datapath: { columns: ["ct_zones"] },
  };

  it("is all that is wanted where it has the tables, and what is older otherwise", () => {
    const tables = Object.fromEntries(Object.keys(CT_COLUMNS).map((table) => [table, {}]));
    expect(requestsFor({ tables }, requests)).toEqual(requests);
    expect(requestsFor({ tables: { Bridge: {} } }, requests)).toEqual({
      Open_vSwitch: { columns: ["cur_cfg"] },
      Bridge: { columns: ["name"] },
    });
  });
});

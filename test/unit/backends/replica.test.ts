import { expect, it } from "vitest";
import { Replica } from "../../../src/backends/ovs/replica.js";

// Recorded from ovsdb-server 3.1: the first contents, then updates.
const FIRST = {
  Open_vSwitch: { s: { new: { cur_cfg: 4, next_cfg: 4 } } },
  Bridge: {
    b: {
      new: {
        name: "pb00000av1",
        ports: ["uuid", "p"],
        fail_mode: "secure",
        datapath_type: "netdev",
        external_ids: ["map", [["patchbay-vpc", "vpc-1"]]],
      },
    },
  },
  Port: { p: { new: { name: "eth", interfaces: ["uuid", "i"], external_ids: ["map", []] } } },
  Interface: {
    i: {
      new: {
        name: "eth",
        type: "",
        options: ["map", []],
        ofport: ["set", []],
        error: ["set", []],
        external_ids: ["map", [["iface-id", "eni-1"]]],
      },
    },
  },
};

it("reads sets of none, one and many, and maps", () => {
  const replica = new Replica();
  expect(replica.apply(FIRST)).toEqual(new Set(["Open_vSwitch", "Bridge", "Port", "Interface"]));
  expect(replica.system).toMatchObject({ uuid: "s", curCfg: 4, nextCfg: 4, settings: new Map() });
  const bridge = replica.bridges.get("b");
  expect(bridge).toMatchObject({ ports: ["p"], failMode: "secure", datapathType: "netdev" });
  expect(bridge?.externalIds).toEqual(new Map([["patchbay-vpc", "vpc-1"]]));
  expect(replica.interfaces.get("i")).toMatchObject({ ofport: undefined, error: undefined });

  const ports = [
    "set",
    [
      ["uuid", "p"],
      ["uuid", "q"],
    ],
  ];
  const row = { ...FIRST.Bridge.b.new, ports, fail_mode: ["set", []] };
  const touched = replica.apply({ Bridge: { b: { old: { ports: ["uuid", "p"] }, new: row } } });
  expect(touched).toEqual(new Set(["Bridge"]));
  expect(replica.bridges.get("b")).toMatchObject({ ports: ["p", "q"], failMode: undefined });
});

it("follows changes and removals, and ignores tables that it does not know", () => {
  const replica = new Replica();
  replica.apply(FIRST);
  const working = { ...FIRST.Interface.i.new, ofport: 7 };
  replica.apply({ Interface: { i: { old: { ofport: ["set", []] }, new: working } } });
  expect(replica.interfaces.get("i")?.ofport).toBe(7);
  const failed = { ...working, ofport: -1, error: "could not open network device eth" };
  replica.apply({ Interface: { i: { old: {}, new: failed } } });
  expect(replica.interfaces.get("i")).toMatchObject({ ofport: -1, error: failed.error });
  replica.apply({ Interface: { i: { old: failed } }, Queue: { x: { new: {} } } });
  expect(replica.interfaces.size).toBe(0);
});

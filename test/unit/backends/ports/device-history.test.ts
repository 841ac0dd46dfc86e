import { describe, expect, it } from "vitest";
import { SwitchNames } from "../../../../src/backends/names.js";
import { DeviceHistory } from "../../../../src/backends/ovs/ports/device-history.js";
import { parsePacketSockets } from "../../../../src/backends/ovs/ports/packet-sockets.js";
import { Topology } from "../../../../src/backends/ovs/topology.js";
import { scopeOf, vpcId } from "../../../support/intents.js";
import { type PortSpec, replicaOf } from "../switch-rows.js";

const UUID = "i-tap0";

/** Shows one port's states one after another. */
function after(
  states: readonly Partial<PortSpec>[],
  datapathType = "netdev",
): { history: DeviceHistory; told: Set<string>[] } {
  const history = new DeviceHistory();
  const told = states.map((state) => history.follow(view(state, datapathType)));
  return { history, told };
}

function view(state: Partial<PortSpec>, datapathType: string): Topology {
  const ids = { "patchbay-installation": "a", "patchbay-vpc": vpcId(1) };
  const ports = [{ name: "tap0", ofport: 5, ...state }];
  const replica = replicaOf([{ name: "br1", datapathType, ids, ports }]);
  return new Topology(replica, "a", new SwitchNames(0xa));
}

it.each([
  ["it was deleted and made again", [{ ifindex: 7 }, { ifindex: 0 }, { ifindex: 8 }]],
  ["it was replaced at once", [{ ifindex: 7 }, { ifindex: 8 }]],
  ["it was away in another namespace", [{ ifindex: 7 }, { ifindex: 0 }, { ifindex: 7 }]],
  ["it was away when it was first seen", [{ ifindex: 0 }, { ifindex: 7 }]],
])("a port is stale once its device is back: %s", (_, states) => {
  const { history, told } = after(states);
  expect(history.isDue(UUID)).toBe(true);
  expect(told.at(-1)).toEqual(scopeOf(1));
  expect(told.slice(0, -1)).toEqual(states.slice(1).map(() => new Set()));
});

it.each([
  ["its device has always been there", [{ ifindex: 7 }, { ifindex: 7 }]],
  ["its device is still away", [{ ifindex: 7 }, { ifindex: 0 }]],
  [
    "it was opened with another number",
    [{ ifindex: 7 }, { ifindex: 0 }, { ifindex: 8, ofport: 6 }],
  ],
  [
    "it was opened as another type",
    [{ ifindex: 7 }, { ifindex: 0, type: "vxlan" }, { ifindex: 7, type: "" }],
  ],
  ["it was closed meanwhile", [{ ifindex: 7 }, { ofport: -1, error: "gone" }, { ifindex: 8 }]],
  [
    "the switch holds its device open",
    [
      { type: "internal", ifindex: 7 },
      { type: "internal", ifindex: 0 },
      { type: "internal", ifindex: 7 },
    ],
  ],
])("a port is not when %s", (_, states) => {
  expect(after(states).history.isDue(UUID)).toBe(false);
});

it("a port whose device is back is left alone while that is down", () => {
  const back = [
    { ifindex: 7 },
    { ifindex: 0, adminState: "down" },
    { ifindex: 7, adminState: "down" },
  ];
  expect(after(back).history.isDue(UUID)).toBe(false);
  const { history, told } = after([...back, { ifindex: 7, adminState: "up" }]);
  expect(history.isDue(UUID)).toBe(true);
  expect(told).toEqual([new Set(), new Set(), new Set(), scopeOf(1)]);
});

it("a port that is set down before it was opened again is told of once more when it is up", () => {
  const replaced = [{ ifindex: 7 }, { ifindex: 8 }, { ifindex: 8, adminState: "down" }];
  expect(after(replaced).history.isDue(UUID)).toBe(false);
  const { history, told } = after([...replaced, { ifindex: 8, adminState: "up" }]);
  expect(history.isDue(UUID)).toBe(true);
  expect(told).toEqual([new Set(), scopeOf(1), new Set(), scopeOf(1)]);
});

it("a port of the kernel's datapath never is", () => {
  expect(after([{ ifindex: 7 }, { ifindex: 8 }], "system").history.isDue(UUID)).toBe(false);
});

it("a port is not any more once it was opened again, by whomever", () => {
  const replaced = [{ ifindex: 7 }, { ifindex: 8 }];
  expect(after([...replaced, { ifindex: 8, ofport: 6 }]).history.isDue(UUID)).toBe(false);
  const { history } = after(replaced);
  history.forgetAll();
  history.follow(view({ ifindex: 8 }, "netdev"));
  expect(history.isDue(UUID)).toBe(false);
});

describe("where nobody has watched, what the switch listens to", () => {
  const HEAD = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n";
  const socket = (index: number) =>
    `00000000ca8915c7 3      3    0003   ${index}    1 0      0      57`;
  const afterReading = (...indexes: number[]) => {
    const { history } = after([{ ifindex: 7 }]);
    history.compare(parsePacketSockets(HEAD + indexes.map(socket).join("\n")));
    return history.isDue(UUID);
  };

  it("tells whether a port hears its device", () => {
    expect(afterReading(0, 7, -1)).toBe(false);
    expect(afterReading(0, 6, -1)).toBe(true);
  });

  it("tells nothing when it listens to none", () => {
    expect(afterReading()).toBe(false);
    expect(afterReading(0, 6)).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { DropCounters } from "../../../src/backends/ovs/drop-counters.js";
import { CommandError, type Exec } from "../../../src/backends/ovs/exec.js";
import { InterfaceHomes } from "../../../src/backends/ovs/interface-homes.js";
import { Ofctl } from "../../../src/backends/ovs/ofctl.js";
import type { Claim, Topology } from "../../../src/backends/ovs/topology.js";
import { encodeCookie } from "../../../src/openflow/cookie.js";
import { formatFlow } from "../../../src/openflow/text.js";
import { countedDrop, DROP_REASONS } from "../../../src/pipeline/drops.js";
import { LAYOUT } from "../../../src/pipeline/layout.js";
import { vpcBridgeFlows } from "../../../src/pipeline/render.js";
import { eniId, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { interfaceOf } from "./switch-rows.js";

const MARK = 0xabcdef;
/** Interfaces 10 and 11, and 20. */
const VPCS = [vpcIntent(1, 2), vpcIntent(2, 1)];
const NOTHING = { packets: 0, bytes: 0 };

/** What a bridge prints of its drops table: packets by interface and reason, the rest zero. */
function dump(n: number, packets: Record<number, Record<string, number>>, mark = MARK): string {
  const vpc = VPCS[n - 1] ?? vpcIntent(n, 0);
  const zonesAt = (at: number) => ({ caller: 2 * at + 1, called: 2 * at + 2 });
  const ports = vpc.interfaces.map(
    ({ id }, at) => [id, { port: at + 2, zones: zonesAt(at) }] as const,
  );
  const places = { uplink: 1, interfaces: new Map(ports) };
  const flows = vpcBridgeFlows(vpc, [], places, {
    mark,
    dropFragments: false,
    dropsBeyondRoom: false,
  });
  const lines = flows.flatMap((flow) => {
    const drop = countedDrop(flow);
    if (drop === undefined) return [];
    const count = packets[drop.interface]?.[drop.reason] ?? 0;
    const statistics = `duration=60.5s, n_packets=${count}, n_bytes=${count * 100},`;
    return [` ${formatFlow(flow).replace(" ", ` ${statistics} `)}`];
  });
  return ["OFPST_FLOW reply (OF1.4) (xid=0x2):", ...lines].join("\n");
}

interface Surroundings {
  readonly exec: Exec;
  readonly unplugged?: readonly string[];
  readonly away?: boolean;
  readonly limitMs?: number;
}

function world({ exec, unplugged = [], away = false, limitMs }: Surroundings) {
  const homes = new InterfaceHomes();
  homes.learn(slice("all", VPCS));
  const plugged = VPCS.flatMap(({ interfaces, number }) =>
    interfaces.flatMap(({ id }) => {
      if (unplugged.includes(id)) return [];
      const claim: Claim = {
        port: `port-${id}`,
        bridge: `br${number}`,
        vpcId: vpcId(number),
        ofport: 2,
        row: id,
        plugged: interfaceOf({ name: `port-${id}`, ofport: 2 }),
        zones: { caller: 1, called: 2 },
      };
      return [[id, [claim]] as const];
    }),
  );
  const bridges = new Map(["br1", "br2"].map((name) => [name, {}]));
  const topology = {
    claims: new Map(plugged),
    bridges,
    soleClaim: (id: string) => new Map(plugged).get(id)?.[0],
  } as unknown as Topology;
  const connections = async (): Promise<never> => {
    if (away) throw new BackendError("ovs-vswitchd is not running");
    return undefined as never;
  };
  const warnings: string[] = [];
  const counters = new DropCounters({
    watch: { connections, topology },
    ofctl: new Ofctl(exec, "/run", { check() {} }),
    homes,
    mark: MARK,
    log: { info: () => undefined, warn: (_, message) => void warnings.push(message) },
    ...(limitMs !== undefined && { limitMs }),
  });
  return { counters, homes, bridges, warnings };
}

const bridgeIn = (args: readonly string[]) => /br\d/.exec(args.join(" "))?.[0] ?? "";
const failure = (hopeless: boolean) =>
  new CommandError({ message: "no", command: "", exitCode: 1, stderr: "", hopeless });
const never = () => new Promise<never>(() => undefined);

describe("one interface", () => {
  it("asks for its flows alone, and with a short time limit", async () => {
    const calls: (readonly string[])[] = [];
    const exec: Exec = async (program, args) => {
      calls.push([program, ...args]);
      return dump(1, { 10: { spoofed: 3 } });
    };
    const { counters } = world({ exec });
    await counters.of(eniId(1, 0));
    expect(calls).toHaveLength(1);
    expect(calls[0]?.join(" ")).toMatch(
      /^ovs-ofctl -O OpenFlow14 --no-names --timeout=3 dump-flows unix:\/run\/br1\.mgmt table=\d+,reg0=0xa$/,
    );
  });

  it("has a count for every reason", async () => {
    const sent = Object.fromEntries(Object.keys(DROP_REASONS).map((reason, at) => [reason, at]));
    const exec = async () => onlyInterface(dump(1, { 10: sent }), 10);
    expect(await world({ exec }).counters.of(eniId(1, 0))).toEqual({
      seconds: 60.5,
      counts: {
        spoofed: NOTHING,
        noRoute: { packets: 1, bytes: 100 },
        blackhole: { packets: 2, bytes: 200 },
        egressPolicy: { packets: 3, bytes: 300 },
        notAdmitted: { packets: 4, bytes: 400 },
        ingressPolicy: { packets: 5, bytes: 500 },
        connectionLimit: { packets: 6, bytes: 600 },
      },
    });
  });

  it("has been counting no longer than the youngest of its flows", async () => {
    const text = onlyInterface(dump(1, {}), 10).replace("60.5s", "2.25s");
    expect(await world({ exec: async () => text }).counters.of(eniId(1, 0))).toMatchObject({
      seconds: 2.25,
    });
  });

  it("counts nothing unless it is known, plugged in, and every flow is there and ours", async () => {
    const complete = onlyInterface(dump(1, {}), 10);
    const partly = complete.split("\n").slice(0, -1).join("\n");
    const others = onlyInterface(dump(1, {}, 0x123456), 10);
    const read = (text: string, unplugged: string[] = [], id = eniId(1, 0)) =>
      world({ exec: async () => text, unplugged }).counters.of(id);
    expect(await read(complete)).not.toBeNull();
    expect(await read(partly)).toBeNull();
    expect(await read(others)).toBeNull();
    expect(await read(complete, [eniId(1, 0)])).toBeNull();
    expect(await read(complete, [], "eni-unknown")).toBeNull();
  });

  it("says that the switch cannot be read, however that shows", async () => {
    const id = eniId(1, 0);
    const failing = world({ exec: () => Promise.reject(failure(false)) });
    await expect(failing.counters.of(id)).rejects.toThrow(BackendError);
    const garbled = world({ exec: async () => " n_packets=1 actions=drop" });
    await expect(garbled.counters.of(id)).rejects.toThrow(BackendError);
    const away = world({ exec: never, away: true });
    await expect(away.counters.of(id)).rejects.toThrow(/not running/);
    const hanging = world({ exec: never, limitMs: 20 });
    await expect(hanging.counters.of(id)).rejects.toThrow(/within 0.02 s/);
    const absent = world({ exec: never, away: true, unplugged: [id] });
    await expect(absent.counters.of(id)).rejects.toThrow(BackendError);
  });

  it("is read once for all who ask at the same time, and again for who asks later", async () => {
    let calls = 0;
    const exec = async () => {
      calls += 1;
      return onlyInterface(dump(1, { 10: { spoofed: calls } }), 10);
    };
    const { counters } = world({ exec });
    const answers = await Promise.all([1, 2, 3].map(() => counters.of(eniId(1, 0))));
    expect(calls).toBe(1);
    expect(new Set(answers).size).toBe(1);
    const later = await counters.of(eniId(1, 0));
    expect(later?.counts.spoofed.packets).toBe(2);
  });
});

describe("all interfaces", () => {
  it("by id, only what is not zero, with one call a bridge", async () => {
    const asked: string[] = [];
    const exec: Exec = async (_, args) => {
      asked.push(bridgeIn(args));
      return bridgeIn(args) === "br1"
        ? dump(1, { 10: { spoofed: 3, noRoute: 1 }, 11: { ingressPolicy: 7 } })
        : dump(2, {});
    };
    const of = (index: number, reason: string, packets: number) => ({
      networkInterfaceId: eniId(1, index),
      vpcId: vpcId(1),
      reason,
      packets,
      bytes: packets * 100,
    });
    const { drops, complete } = await world({ exec }).counters.survey();
    expect(complete).toBe(true);
    expect(new Set(drops)).toEqual(
      new Set([of(0, "spoofed", 3), of(0, "noRoute", 1), of(1, "ingressPolicy", 7)]),
    );
    expect(asked.sort()).toEqual(["br1", "br2"]);
  });

  it("does not ask a bridge that nothing is plugged into", async () => {
    const asked: string[] = [];
    const exec: Exec = async (_, args) => {
      asked.push(bridgeIn(args));
      return dump(1, {});
    };
    const { counters } = world({ exec, unplugged: [eniId(2, 0)] });
    expect(await counters.survey()).toEqual({ drops: [], complete: true });
    expect(asked).toEqual(["br1"]);
  });

  it("leaves out flows of others and of interfaces that are gone", async () => {
    const cookie = encodeCookie({
      mark: MARK,
      layout: LAYOUT,
      category: "interface",
      object: 10,
    }).toString(16);
    const exec = async () => dump(1, { 10: { spoofed: 3 }, 11: { spoofed: 4 } });
    const { counters, homes } = world({ exec, unplugged: [eniId(2, 0)] });
    homes.learn(slice("all", [vpcIntent(1, 1)]));
    const { drops } = await counters.survey();
    expect(drops.map(({ networkInterfaceId }) => networkInterfaceId)).toEqual([eniId(1, 0)]);
    const foreign = async () => (await exec()).replaceAll(cookie, "5");
    const other = world({ exec: foreign, unplugged: [eniId(2, 0)] });
    expect((await other.counters.survey()).drops).toMatchObject([{ packets: 4 }]);
  });

  it("has what it could read when a bridge cannot be read, and says so once", async () => {
    const exec: Exec = async (_, args) => {
      if (bridgeIn(args) === "br2") throw failure(false);
      return dump(1, { 10: { spoofed: 3 } });
    };
    const { counters, bridges, warnings } = world({ exec });
    for (const _ of [1, 2]) {
      expect(await counters.survey()).toMatchObject({ drops: [{ packets: 3 }], complete: false });
    }
    expect(warnings).toHaveLength(1);
    bridges.delete("br2");
    expect(await counters.survey()).toMatchObject({ drops: [{ packets: 3 }], complete: true });
  });

  it("ends in time, with nothing, when the switch is away, hangs or has no tools", async () => {
    const nothing = { drops: [], complete: false };
    expect(await world({ exec: never, away: true }).counters.survey()).toEqual(nothing);
    expect(await world({ exec: never, limitMs: 20 }).counters.survey()).toEqual(nothing);
    const hopeless = world({ exec: () => Promise.reject(failure(true)) });
    expect(await hopeless.counters.survey()).toEqual(nothing);
  });
});

/** What the switch answers when it is asked for one interface. */
function onlyInterface(text: string, number: number): string {
  const lines = text.split("\n");
  return lines.filter((line) => line.includes(`reg0=0x${number.toString(16)},`)).join("\n");
}

import { describe, expect, it, vi } from "vitest";
import { Conntrack } from "../../../../src/backends/ovs/conntrack.js";
import { HostTable } from "../../../../src/backends/ovs/ct/host-table.js";
import { parseLimits, readLimits } from "../../../../src/backends/ovs/ct/limit-reading.js";
import { LimitWatch } from "../../../../src/backends/ovs/ct/limit-watch.js";
import { RpcError } from "../../../../src/backends/ovs/json-rpc.js";
import type { Unixctl } from "../../../../src/backends/ovs/unixctl.js";

type Log = (details: object, message: string) => void;
type Answer = (line: string) => string | Error;

const DATAPATH = "netdev@ovs-netdev";
// As Open vSwitch 3.1 prints it.
const PRINTED = "default limit=0\nzone=5,limit=50,count=3\nzone=6,limit=0,count=0\n";
const READ = new Map([
  [5, { limit: 50, count: 3 }],
  [6, { limit: 0, count: 0 }],
]);

function control(answer: Answer) {
  const lines: string[] = [];
  const run = async (command: string, args: readonly string[] = []) => {
    const line = [command, ...args].join(" ");
    lines.push(line);
    const result = answer(line);
    if (result instanceof Error) throw result;
    return result;
  };
  return { lines, unixctl: { run } as unknown as Unixctl };
}

const refusal = () => new RpcError("dpctl", "refused");
const logged = () => ({ info: vi.fn<Log>(), warn: vi.fn<Log>() });

describe("a reading of limits", () => {
  it("has every zone with a limit of its own, and takes one command", async () => {
    const { lines, unixctl } = control(() => PRINTED);
    expect(await readLimits(unixctl, DATAPATH, [5, 6])).toEqual(READ);
    expect(lines).toEqual([`dpctl/ct-get-limits ${DATAPATH}`]);
    expect(parseLimits("default limit=7\n")).toEqual(new Map());
  });

  it("is made in portions where one answer has no room for all zones", async () => {
    const zones = Array.from({ length: 401 }, (_, index) => index + 1);
    const { lines, unixctl } = control((line) => (line.includes("zone=") ? PRINTED : refusal()));
    expect(await readLimits(unixctl, DATAPATH, zones)).toEqual(READ);
    expect(lines).toHaveLength(4);
    expect(lines[3]).toBe(`dpctl/ct-get-limits ${DATAPATH} zone=401`);
  });

  it("fails where the datapath knows no limits", async () => {
    const { unixctl } = control(refusal);
    await expect(readLimits(unixctl, DATAPATH, [5])).rejects.toThrow(RpcError);
  });
});

describe("limits that were set", () => {
  const prepared = async () => {
    const log = logged();
    const conntrack = new Conntrack({
      datapath: "netdev",
      connectionsPerZone: 50,
      fence: { check() {} },
      log,
    });
    const { lines, unixctl } = control(() => "");
    const zones = { zones: new Set([5, 6]), ownZones: () => [5, 6] };
    await conntrack.renewLimits(unixctl, zones, 1);
    lines.length = 0;
    return { conntrack, lines, renew: () => conntrack.renewLimits(unixctl, zones, 1) };
  };

  it("are set again where they are found otherwise, and each change is news once", async () => {
    const { conntrack, lines, renew } = await prepared();
    expect(conntrack.compare(READ, [5, 6], 1)).toEqual([6]);
    expect(conntrack.compare(READ, [5, 6], 1)).toEqual([]);
    expect(conntrack.compare(new Map(), [5, 6], 1)).toEqual([5, 6]);
    expect(conntrack.wrong).toEqual(
      new Map([
        [5, null],
        [6, null],
      ]),
    );
    await renew();
    expect(lines).toEqual([`dpctl/ct-set-limits ${DATAPATH} zone=5,limit=50 zone=6,limit=50`]);
    await renew();
    expect(lines).toHaveLength(1);
    expect(conntrack.wrong.size).toBe(0);
  });

  it("do not count before they are set in this life of the switch, nor in zones of others", async () => {
    const { conntrack } = await prepared();
    expect(conntrack.compare(new Map(), [5, 6], 2)).toEqual([]);
    expect(conntrack.compare(new Map(), [7], 1)).toEqual([]);
    expect(conntrack.wrong.size).toBe(0);
  });
});

describe("watching limits", () => {
  const watching = (answer: Answer, zones: readonly number[]) => {
    const log = logged();
    const { lines, unixctl } = control(answer);
    const conntrack = new Conntrack({
      datapath: "netdev",
      connectionsPerZone: 50,
      fence: { check() {} },
      log,
    });
    const topology = { zones: new Set(zones), ownZones: () => [...zones] };
    const watch = { topology, connections: async () => ({ unixctl }) } as never;
    const limits = new LimitWatch({ watch, belief: { epoch: 1 }, conntrack, log, pollMs: 5 });
    return { limits, lines, log, set: () => conntrack.renewLimits(unixctl, topology, 1) };
  };
  const answers = (limitsText: () => string | Error) => (line: string) => {
    if (line.includes("maxconns")) return "100";
    if (line.includes("nconns")) return "3";
    return line.includes("get-limits") ? limitsText() : "";
  };

  it("tells who listens which zones somebody has changed", async () => {
    const { limits, set } = watching(
      answers(() => PRINTED),
      [5, 6],
    );
    await set();
    const changed = new Promise((resolve) => limits.start(resolve));
    expect(await changed).toEqual([6]);
    limits.stop();
    expect(limits.latest).toEqual(READ);
  });

  it("asks nothing while nothing is plugged in", async () => {
    const { limits, lines } = watching(() => "", []);
    await limits.look();
    expect(lines).toEqual([]);
  });

  it("says once that limits cannot be read, and again when they could be meanwhile", async () => {
    let text: string | Error = refusal();
    const { limits, log } = watching(
      answers(() => text),
      [5],
    );
    await limits.look();
    await limits.look();
    expect(log.warn).toHaveBeenCalledTimes(1);
    text = PRINTED;
    await limits.look();
    text = refusal();
    await limits.look();
    expect(log.warn).toHaveBeenCalledTimes(2);
  });
});

describe("the room that all zones share", () => {
  it("is told of when there is none left, and when there is some again", async () => {
    let count = "99";
    const { unixctl } = control((line) => (line.includes("maxconns") ? "100\n" : count));
    const log = logged();
    const turned = vi.fn<() => void>();
    const table = new HostTable(log, turned);
    await table.read(unixctl, DATAPATH);
    expect(table.full).toBeUndefined();
    count = "100";
    await table.read(unixctl, DATAPATH);
    await table.read(unixctl, DATAPATH);
    expect(table.full).toMatchObject({ setting: "ct-maxconns", wanted: null });
    expect(log.warn).toHaveBeenCalledTimes(1);
    count = "98";
    await table.read(unixctl, DATAPATH);
    expect(table.full).toBeUndefined();
    expect(turned, "a little room is no news").toHaveBeenCalledTimes(1);
    count = "94";
    await table.read(unixctl, DATAPATH);
    expect(log.info).toHaveBeenCalledTimes(1);
    expect(turned).toHaveBeenCalledTimes(2);
  });
});

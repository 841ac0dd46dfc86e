import { describe, expect, it, vi } from "vitest";
import { Conntrack } from "../../../src/backends/ovs/conntrack.js";
import { RpcError } from "../../../src/backends/ovs/json-rpc.js";
import type { Unixctl } from "../../../src/backends/ovs/unixctl.js";

type Log = (details: object, message: string) => void;

/** Stands in for ovs-vswitchd's control socket; refuses the commands that `refuses` picks. */
function control(refuses: (line: string) => boolean = () => false) {
  const lines: string[] = [];
  const run = (command: string, args: readonly string[] = []) => {
    const line = [command, ...args].join(" ");
    lines.push(line);
    return refuses(line) ? Promise.reject(new RpcError(line, "unknown")) : Promise.resolve("");
  };
  return { lines, unixctl: { run } as unknown as Unixctl };
}

const log = { info: vi.fn<Log>(), warn: vi.fn<Log>() };
const make = () =>
  new Conntrack({ datapath: "netdev", connectionsPerZone: 50, fence: { check() {} }, log });

const using = (zones: readonly number[]) => ({
  zones: new Set(zones),
  ownZones: () => [...zones],
});

describe("zones of conntrack", () => {
  it("are emptied and limited before they are used, and none but these", async () => {
    const { lines, unixctl } = control();
    await make().prepare(unixctl, [3, 4]);
    expect(lines).toEqual([
      "dpctl/flush-conntrack zone=3",
      "dpctl/flush-conntrack zone=4",
      "dpctl/ct-set-limits netdev@ovs-netdev zone=3,limit=50 zone=4,limit=50",
    ]);
  });

  it("are emptied with the datapath's name where there are several", async () => {
    const { lines, unixctl } = control((line) => line === "dpctl/flush-conntrack zone=3");
    await make().prepare(unixctl, [3]);
    expect(lines[1]).toBe("dpctl/flush-conntrack netdev@ovs-netdev zone=3");
  });

  it("that cannot be emptied are not used", async () => {
    const { unixctl } = control((line) => line.includes("flush"));
    await expect(make().prepare(unixctl, [3])).rejects.toThrow(RpcError);
  });

  it("work without limits where the datapath knows none, and the log says so", async () => {
    const { unixctl } = control((line) => line.includes("limits"));
    await make().prepare(unixctl, [3]);
    expect(log.warn).toHaveBeenCalledWith(
      expect.objectContaining({ zones: 1 }),
      "interfaces have no limit of connections",
    );
  });

  it("are retired once nobody uses them, and then are nobody's business any more", async () => {
    const { lines, unixctl } = control();
    const conntrack = make();
    await conntrack.prepare(unixctl, [3, 4]);
    expect(conntrack.abandoned(new Set([3, 4]))).toEqual([]);
    expect(conntrack.abandoned(new Set([4]))).toEqual([3]);
    lines.length = 0;
    await conntrack.retire(unixctl, [3, 4], (zone) => zone === 4);
    expect(lines).toEqual([
      "dpctl/flush-conntrack zone=3",
      "dpctl/ct-del-limits netdev@ovs-netdev zone=3",
    ]);
    expect(conntrack.abandoned(new Set([4]))).toEqual([]);
  });

  it("are limited once for each life of the switch, in portions", async () => {
    const { lines, unixctl } = control();
    const conntrack = make();
    const zones = Array.from({ length: 501 }, (_, i) => i + 1);
    await conntrack.renewLimits(unixctl, using(zones), 0);
    expect(lines).toHaveLength(2);
    await conntrack.renewLimits(unixctl, using(zones), 0);
    expect(lines).toHaveLength(2);
    await conntrack.renewLimits(unixctl, using([7]), 1);
    expect(lines.at(-1)).toBe("dpctl/ct-set-limits netdev@ovs-netdev zone=7,limit=50");
  });

  it("that a port has brought along are limited as well", async () => {
    const { lines, unixctl } = control();
    const conntrack = make();
    await conntrack.renewLimits(unixctl, using([3]), 0);
    await conntrack.renewLimits(unixctl, using([3, 4]), 0);
    expect(lines.at(-1)).toBe("dpctl/ct-set-limits netdev@ovs-netdev zone=4,limit=50");
  });
});

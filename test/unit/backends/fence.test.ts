import { describe, expect, it } from "vitest";
import { Conntrack } from "../../../src/backends/ovs/conntrack.js";
import { Fence, SwitchNotHeld } from "../../../src/backends/ovs/fence/fence.js";
import { holderKey, holderText } from "../../../src/backends/ovs/fence/holder.js";
import { FlowWriter } from "../../../src/backends/ovs/flow-writer.js";
import { isHopeless } from "../../../src/backends/ovs/observe.js";
import { Ofctl } from "../../../src/backends/ovs/ofctl.js";
import { Replica } from "../../../src/backends/ovs/replica.js";
import { toMap } from "../../../src/backends/ovs/rows.js";
import type { Unixctl } from "../../../src/backends/ovs/unixctl.js";
import { diffFlows } from "../../../src/openflow/delta.js";

const ID = "0b2c1e5a-0000-4000-8000-00000000abcd";
const ME = "pid 1 here";
const log = { info: () => undefined, warn: () => undefined };

function fence() {
  return new Fence({ installationId: ID, holder: ME, log });
}

/** The database as it is seen from a connection. */
function database(isLocked: boolean, signed?: string) {
  const replica = new Replica();
  const external_ids = toMap(signed === undefined ? [] : [[holderKey(ID), signed]]);
  replica.apply({ Open_vSwitch: { root: { new: { external_ids } } } });
  const transactions: unknown[] = [];
  const transact = async (operations: readonly unknown[]) => {
    transactions.push(...operations);
    return [];
  };
  return { isLocked, replica, transact, transactions };
}

describe("a fence", () => {
  it("has a lock whose name the database takes, of its installation alone", () => {
    expect(fence().lock).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
    const other = new Fence({ installationId: ID.replace("0b", "0c"), holder: ME, log });
    expect(other.lock).not.toBe(fence().lock);
  });

  it("is closed until the database has given the switch, and when it is away", () => {
    const one = fence();
    expect(() => one.check()).toThrow(SwitchNotHeld);
    one.came(database(true));
    one.check();
    one.lost();
    expect(one.state).toEqual({ kind: "unknown" });
    expect(() => one.check()).toThrow(SwitchNotHeld);
  });

  it("signs when it gets the switch, and only then", () => {
    const [held, refused] = [database(true), database(false)];
    fence().came(held);
    expect(JSON.stringify(held.transactions)).toContain(ME);
    const waiting = fence();
    waiting.came(refused);
    expect(refused.transactions).toEqual([]);
    waiting.lockChanged(held);
    expect(waiting.state).toEqual({ kind: "ours" });
  });

  it("tells who has it, as soon as that is known", () => {
    const waiting = fence();
    waiting.came(database(false));
    expect(waiting.state).toMatchObject({ reason: expect.stringContaining("has not said") });
    waiting.rowsChanged(database(false, "pid 2 there"));
    expect(waiting.state).toMatchObject({ reason: expect.stringContaining("pid 2 there") });
    expect(() => waiting.check()).toThrow(/pid 2 there/);
    waiting.lost();
    expect(waiting.state.kind).toBe("another");
  });

  it("takes a connection of its own that lingers for nobody else, until somebody signs", () => {
    const one = fence();
    one.came(database(true));
    one.lost();
    one.came(database(false, ME));
    expect(one.state).toEqual({ kind: "unknown" });
    expect(() => one.check()).toThrow(SwitchNotHeld);
    one.rowsChanged(database(false, "pid 2 there"));
    expect(one.state.kind).toBe("another");
  });

  it("does not name itself when it was robbed", () => {
    const one = fence();
    one.came(database(true));
    one.lockChanged(database(false, ME));
    one.rowsChanged(database(false, ME));
    expect(one.state).toMatchObject({ kind: "another" });
    expect(JSON.stringify(one.state)).not.toContain(ME);
  });
});

describe("a closed fence", () => {
  const closed = {
    check() {
      throw new SwitchNotHeld("closed");
    },
  };
  const run: string[] = [];
  const exec = async (program: string, args: readonly string[]) => {
    run.push([program, ...args].join(" "));
    return "";
  };
  const ofctl = new Ofctl(exec, "/run", closed);

  it("lets ovs-ofctl read, and nothing else", async () => {
    await ofctl.dumpFlows("br");
    expect(run.splice(0)).toHaveLength(1);
    await expect(ofctl.freePort("br", 1)).rejects.toThrow("closed");
    await expect(ofctl.carryOut("br", [])).rejects.toThrow("closed");
    expect(run).toEqual([]);
  });

  it("lets no bundle begin, and nobody try the next bridge", async () => {
    const stageBundle = () => Promise.reject(new Error("a bundle was begun"));
    const writer = new FlowWriter({ rundir: "/run", ofctl, fence: closed, log, stageBundle });
    const staging = writer.stage(
      "br",
      diffFlows([], [], () => true),
    );
    await expect(staging).rejects.toThrow("closed");
    await expect(staging).rejects.toSatisfy(isHopeless);
  });

  it("lets nothing be changed of conntrack", async () => {
    const commands: string[] = [];
    const unixctl = {
      run: async (command: string) => {
        commands.push(command);
        return "";
      },
    } as unknown as Unixctl;
    const about = { datapath: "netdev", connectionsPerZone: 50, log } as const;
    const conntrack = new Conntrack({ ...about, fence: closed });
    await expect(conntrack.prepare(unixctl, [7])).rejects.toThrow("closed");
    await expect(conntrack.retire(unixctl, [7], () => false)).rejects.toThrow("closed");
    const topology = { zones: new Set<number>(), ownZones: () => [7] };
    await expect(conntrack.renewLimits(unixctl, topology, 1)).rejects.toThrow("closed");
    expect(commands).toEqual([]);
  });
});

it("gives every daemon a text of its own", () => {
  const started = new Date(0);
  expect(holderText("/var/lib/x", started)).toContain(`pid ${process.pid} on `);
  expect(holderText("/var/lib/x", started)).not.toBe(holderText("/var/lib/x"));
  expect(holderText("/a", started)).not.toBe(holderText("/b", started));
});

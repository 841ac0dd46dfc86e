import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { cidr } from "../../../src/domain/cidr.js";
import type { DropReason, InterfaceDrops } from "../../../src/domain/drops.js";
import type { IntentSlice, RuleIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { UDP } from "../../../src/domain/traffic.js";
import { eniId, peeringIntent, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { arpFrame, BROADCAST_MAC, udp6Frame, udpFrame } from "../e2e/frames.js";
import { ALL_WELL, eventually, foundAgain, type Installation, install, lost } from "./fixture.js";
import { sendDatagrams, sendFrames } from "./senders.js";
import { plugInterface } from "./workloads.js";

/** The switch counts 0.2 s behind, 0.5 s at most. */
const SETTLED_MS = 700;
const PEERING = peeringIntent(101, 1, 2);

/** Of UDP: what VPC 1 may send, and what VPC 2 lets in. */
const ALL_PORTS = { from: 0, to: 65535 };
const LET_OUT = { from: 9, to: 11 };
const LET_IN = { from: 9, to: 9 };
const [OPEN, NOT_LET_IN, NOT_LET_OUT] = [9, 11, 12];

const NOWHERE = "198.51.100.7";
const IN_BLACKHOLE = "10.77.0.1";
/** Routed to the peer, and in none of its blocks. */
const BESIDE_PEER = "10.66.0.1";

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
let a0: Host;
let a1: Host;
let b0: Host;

const IDS = { a0: eniId(1, 0), a1: eniId(1, 1), b0: eniId(2, 0) };
type Name = keyof typeof IDS;

/** VPC 3 has one interface, which is never plugged in. */
function intent(): IntentSlice {
  const vpcs = [
    withRules(vpcIntent(1, 2), [rule(100, "ingress", ALL_PORTS), rule(101, "egress", LET_OUT)]),
    withRules(vpcIntent(2, 1), [rule(200, "ingress", LET_IN), rule(201, "egress", ALL_PORTS)]),
    vpcIntent(3, 1),
  ];
  const whole = slice("all", vpcs, [PEERING]);
  const first = whole.vpcs.get(vpcId(1)) as VpcIntent;
  const routes = [
    { destination: cidr("10.77.0.0/16"), peering: null },
    { destination: cidr("10.66.0.0/16"), peering: PEERING.number },
  ];
  const routeTables = first.routeTables.map((table) => ({
    ...table,
    routes: [...table.routes, ...routes],
  }));
  return { ...whole, vpcs: new Map([...whole.vpcs, [first.id, { ...first, routeTables }]]) };
}

function withRules(vpc: VpcIntent, rules: RuleIntent[]): VpcIntent {
  return { ...vpc, securityGroups: vpc.securityGroups.map((group) => ({ ...group, rules })) };
}

function rule(
  number: number,
  direction: RuleIntent["direction"],
  ports: typeof ALL_PORTS,
): RuleIntent {
  const traffic = { kind: "ports", protocol: UDP, ...ports } as const;
  const peer = { kind: "block", block: cidr("0.0.0.0/0") } as const;
  return { id: `sgr-${number}`, number, direction, traffic, peer };
}

async function apply(): Promise<void> {
  expect(await installation.reconcile(intent())).toMatchObject(ALL_WELL);
}

beforeAll(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox);
  await apply();
  [a0, a1, b0] = [
    await plugInterface(hosts, installation, 1, 0),
    await plugInterface(hosts, installation, 1, 1),
    await plugInterface(hosts, installation, 2, 0),
  ];
  await apply();
  // The routers' addresses are known from here on: no datagram waits for them.
  for (const host of [a0, a1, b0]) {
    expect(await host.ping(`${host.ip.split(".").slice(0, 3).join(".")}.1`)).toBe(true);
  }
});

afterAll(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

async function countsOf(name: Name): Promise<InterfaceDrops["counts"]> {
  const drops = await installation.backend.dropsOf(IDS[name]);
  if (drops === null) throw new Error(`nothing counts for ${name}`);
  return drops.counts;
}

type Packets = Record<Name, Record<DropReason, number>>;

async function packets(): Promise<Packets> {
  const names = Object.keys(IDS) as Name[];
  const all = names.map(async (name) => {
    const counts = Object.entries(await countsOf(name));
    return [name, Object.fromEntries(counts.map(([reason, count]) => [reason, count.packets]))];
  });
  return Object.fromEntries(await Promise.all(all));
}

type Growth = Partial<Record<Name, Partial<Record<DropReason, number>>>>;

/** Sees exactly these counters grow by exactly so much, and stay there. */
async function expectGrowth(send: () => Promise<void>, growth: Growth): Promise<void> {
  await sleep(SETTLED_MS);
  const expected = await packets();
  for (const [name, reasons] of Object.entries(growth)) {
    for (const [reason, count] of Object.entries(reasons)) {
      expected[name as Name][reason as DropReason] += count;
    }
  }
  await send();
  await eventually(async () => JSON.stringify(await packets()) === JSON.stringify(expected)).catch(
    async () => expect(await packets()).toEqual(expected),
  );
  await sleep(SETTLED_MS);
  expect(await packets()).toEqual(expected);
}

const times = <T>(count: number, of: T): T[] => Array.from({ length: count }, () => of);
const ownMacs = () => ({ from: a0.mac, to: routerMac(1) });

describe("exactly what was sent is counted, of", () => {
  it("spoofed packets: by address, by MAC, past the router, and in ARP", async () => {
    const ips = { from: a0.ip, to: b0.ip };
    const asked = { mac: "00:00:00:00:00:00", ip: "10.1.1.1" };
    const frames = [
      ...times(7, udpFrame("ip", ownMacs(), { from: a1.ip, to: b0.ip })),
      ...times(5, udpFrame("mac", { ...ownMacs(), from: a1.mac }, ips)),
      ...times(3, udpFrame("router", { ...ownMacs(), to: routerMac(2) }, ips)),
      ...times(
        4,
        arpFrame(
          "arp",
          { from: a0.mac, to: BROADCAST_MAC },
          { operation: "request", sender: { mac: a0.mac, ip: a1.ip }, target: asked },
        ),
      ),
    ];
    const before = await countsOf("a0");
    await expectGrowth(() => sendFrames(a0, frames), { a0: { spoofed: 19 } });
    const after = await countsOf("a0");
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    expect(after.spoofed.bytes - before.spoofed.bytes).toBe(bytes);
  });

  it("packets without a route", async () => {
    await expectGrowth(() => sendDatagrams(a0, NOWHERE, OPEN, 6), { a0: { noRoute: 6 } });
  });

  it("packets into a blackhole", async () => {
    await expectGrowth(() => sendDatagrams(a1, IN_BLACKHOLE, OPEN, 4), { a1: { blackhole: 4 } });
  });

  it("packets that the sender's groups do not allow", async () => {
    await expectGrowth(() => sendDatagrams(a0, b0.ip, NOT_LET_OUT, 8), { a0: { egressPolicy: 8 } });
  });

  it("packets beside the peer's blocks", async () => {
    await expectGrowth(() => sendDatagrams(a1, BESIDE_PEER, OPEN, 3), { a1: { notAdmitted: 3 } });
  });

  it("packets that the receiver's groups do not allow: for it, and not of the sender", async () => {
    await expectGrowth(() => sendDatagrams(a0, b0.ip, NOT_LET_IN, 9), { b0: { ingressPolicy: 9 } });
  });

  it("many packets of one connection, most of which the switch's cache drops", async () => {
    const frame = udpFrame("ip", ownMacs(), { from: a1.ip, to: b0.ip });
    await expectGrowth(
      async () => {
        for (let round = 0; round < 5; round += 1) await sendFrames(a0, times(200, frame));
      },
      { a0: { spoofed: 1000 } },
    );
  });

  it("all of it at once, from several", async () => {
    await expectGrowth(
      async () => {
        await Promise.all([
          sendDatagrams(a0, NOWHERE, OPEN, 20),
          sendDatagrams(a0, b0.ip, NOT_LET_IN, 30),
          sendDatagrams(a1, b0.ip, NOT_LET_IN, 12),
          sendDatagrams(a1, b0.ip, NOT_LET_OUT, 7),
          sendDatagrams(b0, IN_BLACKHOLE, OPEN, 5),
        ]);
      },
      { a0: { noRoute: 20 }, a1: { egressPolicy: 7 }, b0: { noRoute: 5, ingressPolicy: 42 } },
    );
  });

  it("nothing else: what passes, its answers, and what is no interface's business", async () => {
    const macs = { from: a0.mac, to: BROADCAST_MAC };
    const linkLocal = Buffer.from("fe80000000000000000000fffe000001", "hex");
    await expectGrowth(async () => {
      await sendDatagrams(a0, b0.ip, OPEN, 10);
      await sendFrames(a0, [udp6Frame("ipv6", macs, { from: linkLocal, to: linkLocal })]);
      const tags = [{ type: 0x8100, tci: 5 }];
      await sendFrames(a0, [
        udpFrame("tagged", ownMacs(), { from: a0.ip, to: b0.ip }, { tags }),
        udpFrame(
          "fragment",
          ownMacs(),
          { from: a0.ip, to: b0.ip },
          { fragment: { offset: 0, more: true } },
        ),
      ]);
    }, {});
  });
});

describe("reading", () => {
  it("all at once shows the same numbers, without the zeros", async () => {
    await sleep(SETTLED_MS);
    const survey = await installation.backend.surveyDrops();
    expect(survey?.complete).toBe(true);
    const each: unknown[] = [];
    for (const [name, networkInterfaceId] of Object.entries(IDS)) {
      const home = { networkInterfaceId, vpcId: vpcId(name.startsWith("a") ? 1 : 2) };
      for (const [reason, count] of Object.entries(await countsOf(name as Name))) {
        if (count.packets > 0) each.push({ ...home, reason, ...count });
      }
    }
    expect(each.length).toBeGreaterThan(5);
    expect(new Set(survey?.drops)).toEqual(new Set(each));
  });

  it("disturbs no pass, and no pass the counters", async () => {
    const before = await packets();
    let reading = true;
    const readings = [1, 2, 3].map(async () => {
      let count = 0;
      while (reading) {
        expect(await packets()).toEqual(before);
        expect(await installation.backend.surveyDrops()).toMatchObject({ complete: true });
        count += 1;
      }
      return count;
    });
    for (let round = 0; round < 10; round += 1) {
      expect(await installation.reconcile(intent(), true)).toMatchObject(ALL_WELL);
    }
    reading = false;
    for (const count of await Promise.all(readings)) expect(count).toBeGreaterThan(0);
    expect(await packets()).toEqual(before);
  });

  it("says that nothing counts for what is not plugged in, or not known", async () => {
    expect(await installation.backend.dropsOf(eniId(3, 0))).toBeNull();
    expect(await installation.backend.dropsOf("eni-unknown")).toBeNull();
  });
});

describe("counting starts anew", () => {
  it("when the interface is plugged in again", async () => {
    const before = await installation.backend.dropsOf(IDS.a1);
    expect(before?.counts.blackhole.packets).toBeGreaterThan(0);
    await a1.destroy();
    await eventually(() => installation.backend.binding(IDS.a1).kind === "unbound");
    await apply();
    expect(await installation.backend.dropsOf(IDS.a1)).toBeNull();
    a1 = await plugInterface(hosts, installation, 1, 1);
    await apply();
    const after = await installation.backend.dropsOf(IDS.a1);
    expect(after?.seconds).toBeLessThan(10);
    expect(after?.counts.blackhole).toEqual({ packets: 0, bytes: 0 });
    expect((await installation.backend.dropsOf(IDS.a0))?.counts.noRoute.packets).toBeGreaterThan(0);
    await expectGrowth(() => sendDatagrams(a1, IN_BLACKHOLE, OPEN, 2), { a1: { blackhole: 2 } });
  });

  it("when ovs-vswitchd restarts; meanwhile it is said that nothing can be read", async () => {
    await sandbox.killVswitchd();
    await lost(installation);
    await expect(installation.backend.dropsOf(IDS.a0)).rejects.toThrow(BackendError);
    expect(await installation.backend.surveyDrops()).toEqual({ drops: [], complete: false });
    await sandbox.startAgain();
    await foundAgain(installation);
    await apply();
    await eventually(async () => (await installation.backend.dropsOf(IDS.a0)) !== null);
    const { counts, seconds } = (await installation.backend.dropsOf(IDS.a0)) as InterfaceDrops;
    expect(seconds).toBeLessThan(10);
    expect(counts.noRoute).toEqual({ packets: 0, bytes: 0 });
    await expectGrowth(() => sendDatagrams(a0, NOWHERE, OPEN, 3), { a0: { noRoute: 3 } });
  });
});

it("waits no longer than a few seconds for a switch that hangs", async () => {
  const pid = await sandbox.vswitchdPid();
  process.kill(pid, "SIGSTOP");
  try {
    const start = performance.now();
    const one = installation.backend.dropsOf(IDS.a0);
    const all = installation.backend.surveyDrops();
    await expect(one).rejects.toThrow(BackendError);
    expect(await all).toEqual({ drops: [], complete: false });
    expect(performance.now() - start).toBeLessThan(5000);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await eventually(async () => (await installation.backend.surveyDrops())?.complete === true);
});

import { afterAll, beforeAll, expect, it } from "vitest";
import type { ConnectionTimeouts } from "../../../src/backends/ovs/ct/timeouts.js";
import { eniId, openGroup, slice, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { hold } from "../connections.js";
import { type Program, startPython } from "../program.js";
import { ALL_WELL, eventually, type Installation, install, newIdentity } from "./fixture.js";
import { plugInterface } from "./workloads.js";

const SHORT = { tcpEstablished: 4, udpStream: 6, udpSingle: 2 };
const LONG = { tcpEstablished: 432_000, udpStream: 180, udpSingle: 30 };

/** Nobody may call the first interface; everybody the second one. */
const VPC = {
  ...vpcIntent(1, 2),
  interfaces: vpcIntent(1, 2).interfaces.map((eni, at) => ({ ...eni, groups: [at + 1] })),
  securityGroups: [
    { ...openGroup(1), rules: openGroup(1).rules.filter((rule) => rule.direction === "egress") },
    openGroup(2),
  ],
};
const EVERYTHING = slice("all", [VPC]);
const identity = newIdentity();

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
let timeouts: ConnectionTimeouts = SHORT;
let client: Host;
let server: Host;

beforeAll(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox, { identity, timeouts });
  await installation.reconcile(EVERYTHING);
  client = await plugInterface(hosts, installation, 1, 0);
  server = await plugInterface(hosts, installation, 1, 1);
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
});

afterAll(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

async function startAnew(others: ConnectionTimeouts): Promise<void> {
  await installation.stop();
  timeouts = others;
  installation = await install(sandbox, { identity, timeouts });
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
}

/** What is remembered of connections to a port: the seconds that are left to each entry. */
async function left(port: number): Promise<number[]> {
  const text = await sandbox.appctl("dpctl/dump-conntrack", "-s");
  const lines = text.split("\n").filter((line) => line.includes(`dport=${port})`));
  return lines.flatMap((line) => /,timeout=(\d+)/.exec(line)?.[1] ?? []).map(Number);
}

const isForgotten = async (port: number) => (await left(port)).length === 0;

async function refusals(): Promise<number> {
  const drops = await installation.backend.dropsOf(eniId(1, 0));
  return drops?.counts.ingressPolicy.packets ?? 0;
}

/** A socket that sends on demand and counts what has come. */
function datagrams(host: Host, port: number, to: string): Promise<Program> {
  const script = [
    "import socket, sys, threading",
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    `s.bind(('0.0.0.0', ${port}))`,
    "heard = 0",
    "def listen():",
    "  global heard",
    "  while True:",
    "    s.recvfrom(99); heard += 1",
    "threading.Thread(target=listen, daemon=True).start()",
    "print('ready', flush=True)",
    "for line in sys.stdin:",
    `  if 'send' in line: s.sendto(b'x', ('${to}', ${port}))`,
    "  print(heard, flush=True)",
  ];
  return startPython(host, "-c", script.join("\n"));
}

/** The kernel takes UDP for a stream once both have sent for two seconds, the userspace datapath at once. */
async function untilStream(port: number, talk: () => Promise<void>): Promise<void> {
  await eventually(async () => {
    if ((await left(port)).some((seconds) => seconds > timeouts.udpSingle)) return true;
    await talk();
    return false;
  });
}

/** A datagram from the client, answered by the server, so that it is a stream, or not. */
async function exchange(port: number, answered: boolean) {
  const caller = await datagrams(client, port, server.ip);
  const called = await datagrams(server, port, client.ip);
  await caller.ask("send");
  await eventually(async () => Number(await called.ask("heard")) === 1);
  const answer = async () => {
    const before = Number(await caller.ask("heard"));
    await called.ask("send");
    return () => eventually(async () => Number(await caller.ask("heard")) === before + 1);
  };
  if (answered) await untilStream(port, async () => (await answer())());
  return {
    answer,
    heard: async () => Number(await caller.ask("heard")),
    end: () => {
      caller.end();
      called.end();
    },
  };
}

it("forgets UDP after its time, answered later than unanswered, and lets no late answer in", async () => {
  const begun = performance.now();
  const [single, stream] = [await exchange(5001, false), await exchange(5002, true)];
  const heard = await stream.heard();
  expect(heard).toBeGreaterThan(0);
  await eventually(() => isForgotten(5001));
  expect(await isForgotten(5002)).toBe(false);
  const refused = await refusals();
  await single.answer();
  await eventually(async () => (await refusals()) === refused + 1);
  expect(await single.heard()).toBe(0);
  await eventually(() => isForgotten(5002));
  expect(performance.now() - begun).toBeGreaterThan(SHORT.udpStream * 1000 - 500);
  await stream.answer();
  await eventually(async () => (await refusals()) === refused + 2);
  expect(await stream.heard()).toBe(heard);
  single.end();
  stream.end();
});

it("keeps TCP while anything comes, and forgets it when nothing has for its time", async () => {
  const held = await hold(client, server, 5003);
  const begun = performance.now();
  const lasting = () => performance.now() - begun > (SHORT.tcpEstablished + 1) * 1000;
  await eventually(async () => {
    expect(await held.echoes()).toBe(true);
    return lasting();
  });
  expect(await isForgotten(5003)).toBe(false);
  await eventually(() => isForgotten(5003));
  held.end();
});

it("takes other settings for connections that are opened after a restart of the daemon", async () => {
  const early = await exchange(5004, true);
  await startAnew(LONG);
  const [stream, single] = [await exchange(5005, true), await exchange(5006, false)];
  const held = await hold(client, server, 5007);
  expect(await held.echoes()).toBe(true);
  for (const seconds of await left(5005)) expect(seconds).toBeGreaterThan(120);
  for (const seconds of await left(5006)) expect(seconds).toBeLessThanOrEqual(30);
  for (const seconds of await left(5007)) expect(seconds).toBeGreaterThan(431_000);
  expect(await isForgotten(5005)).toBe(false);
  expect(await isForgotten(5006)).toBe(false);
  expect(await isForgotten(5007)).toBe(false);
  await startAnew(SHORT);
  expect(await held.echoes()).toBe(true);
  for (const each of [early, stream, single, held]) each.end();
});

it("disturbs nobody when time-outs are written down anew", async () => {
  const held = await hold(client, server, 5008);
  for (let round = 0; round < 5; round += 1) {
    const before = installation.doubts.length;
    await sandbox.vsctl("clear", "Open_vSwitch", ".", "datapaths");
    const talk = Array.from({ length: 20 }, () => () => held.echoes());
    const echoed = talk.reduce(
      async (sofar, echo) => (await sofar) && (await echo()),
      Promise.resolve(true),
    );
    await eventually(() => installation.doubts.length > before);
    await installation.reconcile(EVERYTHING);
    expect(await echoed).toBe(true);
  }
  held.end();
});

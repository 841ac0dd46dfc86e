import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { routerMac } from "../../../src/domain/mac.js";
import { chosenDatapath } from "../../support/datapath.js";
import { eniId, peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import { ALL_WELL, eventually, type Installation, install } from "./fixture.js";

/** In the kernel's datapath packets wait, at times, and may be late: that takes more rounds to see. */
const ROUNDS = chosenDatapath() === "system" ? 40 : 12;
const CROWD = 30_720;
const VPCS = [vpcIntent(1, 1), vpcIntent(2, 1)];
const PEERING = peeringIntent(1, 1, 2);
const SCOPE = scopeOf(1, 2);

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
let left: Host;
let right: Host;

beforeAll(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox);
  await installation.reconcile(slice("all", VPCS));
  [left, right] = [await plug(1), await plug(2)];
  const bound = (n: number) => installation.backend.binding(eniId(n)).kind === "bound";
  await eventually(() => bound(1) && bound(2));
  await installation.reconcile(slice("all", VPCS));
});

afterAll(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

it("lets no packet through once the cut is reported, with a flood in both directions", async () => {
  const load = await crowdDatapath();
  const floods = [flood(left, right.ip), flood(right, left.ip)];
  const sent = () => floods.reduce((all, { pid }) => all + ipCounter(pid, "OutRequests"), 0);
  const delivered = () => deliveredTo(left) + deliveredTo(right);
  for (let round = 0; round < ROUNDS; round += 1) {
    const opened = await installation.reconcile(slice(SCOPE, VPCS, [PEERING]));
    expect(opened).toMatchObject({ ...ALL_WELL, installedPeerings: [PEERING.id] });
    const before = delivered();
    await eventually(() => delivered() > before + 2000);

    const leaving = slice(SCOPE, VPCS, [{ ...PEERING, admitted: false }]);
    const cut = await installation.reconcile(leaving);
    const [deliveredAtCut, sentAtCut] = [delivered(), sent()];
    expect(cut).toMatchObject({ ...ALL_WELL, removedPeerings: [PEERING.id] });
    await eventually(() => sent() > sentAtCut + 2000);
    expect(delivered() - deliveredAtCut, `passed after the cut, round ${round}`).toBe(0);
  }
  await Promise.all([load, ...floods].map(end));
});

async function end(process: ChildProcess): Promise<void> {
  process.kill("SIGKILL");
  await once(process, "close");
}

/** Knows its gateway: the switch has no reason to send it anything but what passes. */
async function plug(n: number): Promise<Host> {
  const gateway = `10.${n}.1.1`;
  const host = await hosts.create({
    bridge: installation.names.vpcBridge(n),
    address: `10.${n}.1.4/24`,
    mac: `02:00:00:00:0${n}:04`,
    gateway,
    ifaceId: eniId(n),
  });
  await host.exec("ip", "neigh", "add", gateway, "lladdr", routerMac(n), "dev", "eth0");
  return host;
}

/** Fills the datapath with flows of a bridge of somebody else: revalidating then takes its time. */
async function crowdDatapath(): Promise<ChildProcess> {
  const bridge = uniqueName("crowd");
  await sandbox.addBridge(bridge);
  const source = await hosts.create({ bridge, address: "10.9.0.1/24" });
  await source.exec("ip", "neigh", "add", "10.9.0.2", "lladdr", source.mac, "dev", "eth0");
  const actions =
    "move:NXM_OF_UDP_SRC[0..15]->NXM_NX_REG0[0..15],move:NXM_OF_UDP_DST[0..15]->NXM_NX_REG1[0..15]";
  await sandbox.ofctl("add-flow", bridge, `udp,actions=${actions}`);
  const process = spawnPython(
    source,
    [
      "import socket, time",
      "s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(CROWD // 512)]",
      "while True:",
      "  for port in range(512):",
      "    for one in s: one.sendto(b'x', ('10.9.0.2', 9000 + port))",
      "    time.sleep(0.002)",
      "  time.sleep(2)",
    ].map((line) => line.replace("CROWD", String(CROWD))),
  );
  await eventually(async () => (await datapathFlows()) > CROWD * 0.9);
  return process;
}

async function datapathFlows(): Promise<number> {
  const text = await sandbox.appctl("upcall/show");
  return Number(/current (\d+)/.exec(text)?.[1]);
}

function spawnPython(host: Host, script: readonly string[]): ChildProcess {
  const process = host.spawn("python3", "-c", script.join("\n"));
  process.stdout.resume();
  process.stderr.resume();
  return process;
}

/** UDP from ever changing ports: every packet that is not cached is classified anew. */
function flood(from: Host, to: string): ChildProcess {
  return spawnPython(from, [
    "import socket, itertools",
    "s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(64)]",
    "for i in itertools.count():",
    "  try:",
    `    s[i % 64].sendto(b'x' * 64, ('${to}', 9000 + i % 512))`,
    "  except ConnectionRefusedError: pass",
  ]);
}

/**
 * What the switch has given to a host. The host itself may receive it later: a device's frames wait
 * for their turn in the kernel.
 */
function deliveredTo({ port }: Host): number {
  return Number(readFileSync(`/sys/class/net/${port}/statistics/tx_packets`, "utf8"));
}

/** A counter of the Ip group (RFC 4293) in the network namespace of a process. */
function ipCounter(pid: number | undefined, field: string): number {
  const lines = readFileSync(`/proc/${pid}/net/snmp`, "utf8").split("\n");
  const [names, values] = lines.filter((line) => line.startsWith("Ip: ")).map((l) => l.split(" "));
  return Number(values?.[names?.indexOf(field) ?? -1]);
}

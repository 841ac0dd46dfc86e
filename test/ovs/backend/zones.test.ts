import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { Conntrack } from "../../../src/backends/ovs/conntrack.js";
import { SwitchWatch } from "../../../src/backends/ovs/switch-watch.js";
import { eniId, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { connects } from "../connections.js";
import { startPython } from "../program.js";
import { ALL_WELL, eventually, type Installation, install, lost, newIdentity } from "./fixture.js";
import { plugInterface } from "./workloads.js";

/** More than `fixture.ts` lets an interface have. */
const TOO_MANY = 1500;
const MOST = 1000;
const VPCS = [vpcIntent(1, 4), vpcIntent(2, 1)];

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
const identity = newIdentity();

beforeEach(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox, { identity });
  await reconcile();
});

afterEach(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

async function reconcile(): Promise<void> {
  expect(await installation.reconcile(slice("all", VPCS))).toMatchObject(ALL_WELL);
}

async function plug(n: number, index: number): Promise<Host> {
  const host = await plugInterface(hosts, installation, n, index);
  await reconcile();
  return host;
}

/** As another daemon would begin, after the first has ended. */
async function startAnew(): Promise<void> {
  await installation.stop();
  installation = await install(sandbox, { identity });
  await reconcile();
}

const CALLED = "patchbay-ct-zone";
const CALLER = "patchbay-ct-zone-caller";

async function zoneOf(host: Host, key = CALLED): Promise<number> {
  const text = await sandbox.vsctl("get", "Interface", host.port, `external_ids:${key}`);
  return Number(/:(\d+)"?$/.exec(text)?.[1]);
}

async function zonesOf(host: Host): Promise<number[]> {
  return [await zoneOf(host, CALLED), await zoneOf(host, CALLER)];
}

async function connectionsIn(zone: number): Promise<number> {
  const text = await sandbox.appctl("dpctl/dump-conntrack", `zone=${zone}`);
  return text.split("\n").filter((line) => line !== "").length;
}

/** Opens so many UDP connections, from as many ports. */
async function openMany(from: Host, to: Host): Promise<void> {
  await from.exec(
    "python3",
    "-c",
    [
      "import socket",
      "s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]",
      `for port in range(${TOO_MANY} // 30):`,
      `  for one in s: one.sendto(b'x', ('${to.ip}', 9000 + port))`,
    ].join("\n"),
  );
}

/** Packets that meet no datapath flow may be lost on their way up: some tries are in vain. */
function untilMany(zone: number, from: Host, to: Host, least = 101): Promise<void> {
  return eventually(async () => {
    await openMany(from, to);
    return (await connectionsIn(zone)) >= least;
  });
}

it("gives each interface two zones of its own, and keeps them across restarts", async () => {
  const plugged = [await plug(1, 0), await plug(1, 1), await plug(2, 0)];
  const zones = (await Promise.all(plugged.map(zonesOf))).flat();
  expect(new Set(zones).size).toBe(6);
  expect(zones.every((zone) => zone > 0)).toBe(true);
  await startAnew();
  expect((await Promise.all(plugged.map(zonesOf))).flat()).toEqual(zones);
});

it("leaves an interface of one zone that zone, and gives it the other one", async () => {
  const [one, other] = [await plug(1, 0), await plug(1, 1)];
  const [kept, untouched] = [await zoneOf(one, CALLED), await zonesOf(other)];
  await installation.stop();
  await sandbox.vsctl("remove", "Interface", one.port, "external_ids", CALLER);
  installation = await install(sandbox, { identity });
  await reconcile();
  expect(await zoneOf(one, CALLED)).toBe(kept);
  expect(await zoneOf(one, CALLER)).toBeGreaterThan(0);
  expect(new Set([...(await zonesOf(one)), ...untouched]).size).toBe(4);
  expect(await zonesOf(other)).toEqual(untouched);
});

it("gives two interfaces that are marked with the same zone one each", async () => {
  const [one, other] = [await plug(1, 0), await plug(1, 1)];
  await installation.stop();
  const copied = `external_ids:${CALLER}="${eniId(1, 1)}:${await zoneOf(one, CALLED)}"`;
  await sandbox.vsctl("set", "Interface", other.port, copied);
  installation = await install(sandbox, { identity });
  await reconcile();
  expect(new Set([...(await zonesOf(one)), ...(await zonesOf(other))]).size).toBe(4);
});

it("forgets the connections of a zone before another interface gets it", async () => {
  const [one, other] = [await plug(1, 0), await plug(1, 1)];
  const zone = await zoneOf(other);
  await untilMany(zone, one, other);
  await installation.stop();
  await other.destroy();
  expect(await connectionsIn(zone)).toBeGreaterThan(100);
  await startAnew();
  const heir = await plug(2, 0);
  expect(await zoneOf(heir)).toBe(zone);
  expect(await connectionsIn(zone)).toBe(0);
});

it("empties the zone of an interface that is unplugged, and takes its limit back", async () => {
  const [one, other] = [await plug(1, 0), await plug(1, 1)];
  const zone = await zoneOf(other);
  await untilMany(zone, one, other);
  const limits = () => sandbox.appctl("dpctl/ct-get-limits");
  expect(await limits()).toContain(`zone=${zone},limit=`);
  await other.destroy();
  await eventually(() => installation.backend.binding(eniId(1, 1)).kind === "unbound");
  await reconcile();
  expect(await connectionsIn(zone)).toBe(0);
  expect(await limits()).not.toContain(`zone=${zone},limit=`);
  expect(await limits()).toContain(`zone=${await zoneOf(one)},limit=`);
});

it("gives a port that is handed to another interface other zones", async () => {
  const host = await plug(1, 0);
  const zones = await zonesOf(host);
  await sandbox.vsctl("set", "Interface", host.port, `external_ids:iface-id=${eniId(1, 1)}`);
  await eventually(() => installation.backend.binding(eniId(1, 1)).kind === "bound");
  await reconcile();
  expect(new Set([...(await zonesOf(host)), ...zones]).size).toBe(4);
});

/** Plugs an interface in while bridges and ports are being changed, before flows are. */
function plugAmidst(n: number, index: number): () => Promise<Host> {
  const { expecting } = SwitchWatch.prototype;
  let plugged: Promise<Host> | undefined;
  const spy = vi.spyOn(SwitchWatch.prototype, "expecting");
  spy.mockImplementation(function (this: SwitchWatch, scope, work) {
    const both = async () => {
      const result = await work();
      plugged ??= plugInterface(hosts, installation, n, index);
      await plugged;
      return result;
    };
    return expecting.call(this, scope, both) as ReturnType<typeof work>;
  });
  onTestFinished(() => spy.mockRestore());
  return () => plugged ?? Promise.reject(new Error("nothing was changed meanwhile"));
}

it("gives a zone to who is plugged in just while another gets one", async () => {
  await plugInterface(hosts, installation, 1, 0);
  const late = plugAmidst(1, 1);
  await reconcile();
  expect(await zoneOf(await late())).toBeGreaterThan(0);
});

it("fails only the VPC whose interface cannot be given a zone", async () => {
  await plugInterface(hosts, installation, 1, 0);
  const spy = vi.spyOn(Conntrack.prototype, "prepare").mockRejectedValue(new Error("no flush"));
  onTestFinished(() => spy.mockRestore());
  const { failedVpcs } = await installation.reconcile(slice("all", VPCS));
  expect(failedVpcs).toEqual(new Map([[vpcId(1), "conntrack zones: no flush"]]));
});

it("looks again when something is plugged in while the bridge of another VPC is removed", async () => {
  const late = plugAmidst(1, 0);
  const heard = installation.doubts.length;
  await installation.reconcile(slice("all", VPCS.slice(0, 1)));
  await late();
  expect(installation.doubts.slice(heard)).toContainEqual(new Set([vpcId(1)]));
});

it("keeps one interface from using up what the others need, also after a restart", async () => {
  const [greedy, victim] = [await plug(1, 0), await plug(1, 1)];
  const [third, fourth] = [await plug(1, 2), await plug(1, 3)];
  const zone = await zoneOf(greedy, CALLER);
  const useUp = async () => {
    await untilMany(zone, greedy, victim, MOST);
    expect(await connectionsIn(zone)).toBeLessThanOrEqual(MOST);
    expect(await connects(greedy, third, 80)).toBe(false);
    expect(await connects(third, fourth, 80)).toBe(true);
  };
  await useUp();
  await sandbox.killVswitchd();
  await lost(installation);
  await sandbox.startAgain();
  await eventually(async () => {
    const { backend } = installation;
    const outcome = await backend.plan(slice("all", VPCS), { fresh: false }).then(
      (plan) => backend.apply(plan),
      () => undefined,
    );
    return outcome?.exchangeError === undefined && outcome?.failedVpcs.size === 0;
  });
  await useUp();
});

/** Of a server that speaks first, once it is told to. */
const SPEAKER = [
  "import socket, sys",
  "s = socket.create_server(('0.0.0.0', 80))",
  "print('ready', flush=True)",
  "made = [s.accept()[0] for _ in range(int(sys.argv[1]))]",
  "for line in sys.stdin:",
  "  for each in made: each.sendall(b'late')",
  "  print('sent', flush=True)",
];
const LISTENER = [
  "import socket, sys",
  "made = [socket.create_connection((sys.argv[1], 80), 5) for _ in range(int(sys.argv[2]))]",
  "print('ready', flush=True)",
  "sys.stdin.read()",
];

it("takes no room for its own calls when it answers what was forgotten", async () => {
  const calls = 5;
  const [client, server] = [await plug(1, 0), await plug(1, 1)];
  const speaker = await startPython(server, "-c", SPEAKER.join("\n"), String(calls));
  const listener = await startPython(client, "-c", LISTENER.join("\n"), server.ip, String(calls));
  const [called, caller] = [await zoneOf(server, CALLED), await zoneOf(server, CALLER)];
  expect(await connectionsIn(called)).toBe(calls);
  await sandbox.appctl("dpctl/flush-conntrack", `zone=${called}`);
  expect(await connectionsIn(called)).toBe(0);
  await speaker.ask("");
  await eventually(async () => (await connectionsIn(called)) === calls);
  expect(await connectionsIn(caller)).toBe(0);
  listener.end();
  speaker.end();
});

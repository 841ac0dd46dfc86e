import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { TRAITS } from "./datapath.js";
import { patient } from "./patience.js";
import { type Sandbox, uniqueName } from "./sandbox.js";

const CLOSE_SCRIPT = fileURLToPath(new URL("../../ovs/close-port.sh", import.meta.url));

const COMMAND_LIMIT_MS = patient(15_000);

/** What a simulated workload is plugged in with. */
export interface HostOptions {
  /** Bridge to plug into; it exists already. */
  readonly bridge: string;
  /** Address with prefix length, `10.0.1.4/24`. */
  readonly address: string;
  /** Default: random, locally administered. */
  readonly mac?: string;
  /** Default route; none when absent. */
  readonly gateway?: string;
  /** `external_ids:iface-id` of the port; none when absent. */
  readonly ifaceId?: string;
}

/** A network namespace with one interface, `eth0`, that ends at a port of the switch. */
export interface Host {
  readonly netns: string;
  /** Name of the port, and of the root namespace's end of the veth pair. */
  readonly port: string;
  readonly mac: string;
  /** Without prefix length. */
  readonly ip: string;
  /** Runs a program inside; resolves to its stdout, rejects when it fails. */
  exec(command: string, ...args: string[]): Promise<string>;
  /** Starts a program inside that goes on running; `destroy` ends it. */
  spawn(command: string, ...args: string[]): ChildProcessWithoutNullStreams;
  /** One echo request, one second of patience. */
  ping(ip: string): Promise<boolean>;
  /** How many of `count` echo requests, 0.2 s apart, were answered. */
  countPings(ip: string, count: number): Promise<number>;
  /** Unplugs it and removes everything it made. Idempotent. */
  destroy(): Promise<void>;
}

/** Hosts of one test file: `afterAll(() => pool.destroyAll())` also clears what a failure left. */
export interface HostPool {
  create(options: HostOptions): Promise<Host>;
  destroyAll(): Promise<void>;
}

export function hostPool(sandbox: Sandbox): HostPool {
  const hosts: Host[] = [];
  return {
    create: async (options) => {
      const host = await createHost(sandbox, options);
      hosts.push(host);
      return host;
    },
    destroyAll: async () => {
      await Promise.all(hosts.splice(0).map((host) => host.destroy()));
    },
  };
}

/** Makes a host and plugs it in; whatever was made is removed again when a step fails. */
export async function createHost(sandbox: Sandbox, options: HostOptions): Promise<Host> {
  const host = describeHost(sandbox, options);
  try {
    await ip("netns", "add", host.netns);
    await makeVeth(sandbox, host, options);
    await plug(sandbox, host.port, options);
    return host;
  } catch (error) {
    await host.destroy();
    throw error;
  }
}

function describeHost(sandbox: Sandbox, options: HostOptions): Host {
  const netns = uniqueName("pbt");
  const port = uniqueName("pbv");
  const inside = ["netns", "exec", netns];
  const exec = (command: string, ...args: string[]) => ip(...inside, command, ...args);
  return {
    netns,
    port,
    mac: options.mac ?? randomMac(),
    ip: options.address.split("/")[0] ?? options.address,
    exec,
    spawn: (command, ...args) => spawn("ip", [...inside, command, ...args]),
    ping: async (target) => (await countAnswers(netns, target, 1)) === 1,
    countPings: (target, count) => countAnswers(netns, target, count),
    destroy: () => destroy(sandbox, netns, port),
  };
}

async function makeVeth(sandbox: Sandbox, host: Host, options: HostOptions): Promise<void> {
  const peer = ["peer", "name", "eth0", "address", host.mac, "netns", host.netns];
  await ip("link", "add", host.port, "type", "veth", ...peer);
  // As ovs/netns.sh does: what a workload sends is for the switch, and not for this machine.
  await execa(CLOSE_SCRIPT, [host.port, sandbox.datapath], { timeout: COMMAND_LIMIT_MS });
  const settings = ["link set lo up", `addr add ${options.address} dev eth0`, "link set eth0 up"];
  if (options.gateway !== undefined) settings.push(`route add default via ${options.gateway}`);
  await execa("ip", ["-n", host.netns, "-batch", "-"], {
    input: `${settings.join("\n")}\n`,
  });
  await ownChecksums(sandbox, host);
}

/** The userspace datapath does not fill in checksums that a veth leaves to the hardware. */
export async function ownChecksums(
  { datapath }: Pick<Sandbox, "datapath">,
  { port, netns }: Pick<Host, "port" | "netns">,
): Promise<void> {
  if (!TRAITS[datapath].needsChecksumsOfWorkloads) return;
  await execa("ethtool", ["-K", port, "tx", "off"]);
  await ip("netns", "exec", netns, "ethtool", "-K", "eth0", "tx", "off");
}

async function plug(sandbox: Sandbox, port: string, options: HostOptions): Promise<void> {
  const { handsFramesToHost } = TRAITS[sandbox.datapath];
  // As in ovs/netns.sh, where it says why.
  if (handsFramesToHost) await ip("link", "set", port, "up");
  const claim =
    options.ifaceId === undefined
      ? []
      : ["--", "set", "Interface", port, `external_ids:iface-id=${options.ifaceId}`];
  await sandbox.vsctl("add-port", options.bridge, port, ...claim);
  if (!handsFramesToHost) await ip("link", "set", port, "up");
}

async function destroy(sandbox: Sandbox, netns: string, port: string): Promise<void> {
  await endProcessesIn(netns);
  await execa("ip", ["link", "del", port], { reject: false });
  await execa("ip", ["netns", "del", netns], { reject: false });
  // A test may have stopped the switch; its database then goes with its directory.
  const unplug = ["--timeout=5", `--db=${sandbox.ovsdb}`, "--if-exists", "del-port", port];
  await execa("ovs-vsctl", unplug, { reject: false });
}

async function endProcessesIn(netns: string): Promise<void> {
  const { stdout } = await execa("ip", ["netns", "pids", netns], {
    reject: false,
  });
  const pids = stdout.split("\n").filter((line) => line !== "");
  if (pids.length > 0) await execa("kill", ["-KILL", ...pids], { reject: false });
}

async function countAnswers(netns: string, target: string, count: number): Promise<number> {
  const ping = ["ping", "-n", "-q", "-c", `${count}`, "-i", "0.2", "-W", "1", target];
  const { stdout } = await execa("ip", ["netns", "exec", netns, ...ping], {
    reject: false,
    timeout: COMMAND_LIMIT_MS + count * 200,
  });
  const received = /, (\d+) received/.exec(stdout)?.[1];
  // "Network is unreachable" prints no summary: nothing was answered.
  return received === undefined ? 0 : Number.parseInt(received, 10);
}

async function ip(...args: string[]): Promise<string> {
  return (await execa("ip", args, { timeout: COMMAND_LIMIT_MS })).stdout;
}

function randomMac(): string {
  const digits = uniqueName("").padEnd(10, "0");
  return `02:${(digits.match(/../g) ?? []).join(":")}`;
}

import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { type Datapath, isDatapath } from "./datapath.js";
import { patient } from "./patience.js";

const SANDBOX_SCRIPT = fileURLToPath(new URL("../../ovs/sandbox.sh", import.meta.url));
const COMMAND_LIMIT_MS = patient(30_000);

/** A signal that ends a process without, or with, its consent. */
export type EndSignal = "SIGKILL" | "SIGTERM" | "SIGSEGV";

/**
 * A private Open vSwitch of one test file, with the datapath that PATCHBAY_SANDBOX_DATAPATH names.
 * Needs root.
 */
export interface Sandbox {
  readonly dir: string;
  /** `unix:…/db.sock` */
  readonly ovsdb: string;
  /** Where `BRIDGE.mgmt` and `ovs-vswitchd.PID.ctl` are. */
  readonly rundir: string;
  readonly datapath: Datapath;
  /** The three settings as the daemon and the scripts read them. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a program with those settings; resolves to its stdout, rejects (execa) when it fails. */
  run(command: string, args: readonly string[], stdin?: string): Promise<string>;
  /** `ovs-vsctl` on this database. */
  vsctl(...args: string[]): Promise<string>;
  /** `ovs-ofctl -O OpenFlow14 --no-names`: the bridge, as an argument, by its bare name. */
  ofctl(...args: string[]): Promise<string>;
  /** `ovs-appctl` on this ovs-vswitchd. */
  appctl(...args: string[]): Promise<string>;
  /** Adds a bridge with that datapath, which forwards nothing by itself. */
  addBridge(name: string): Promise<void>;
  vswitchdPid(): Promise<number>;
  /** Ends ovs-vswitchd with a signal; resolves when it is gone. */
  killVswitchd(signal?: EndSignal): Promise<void>;
  /** Ends ovsdb-server with a signal; resolves when it is gone. */
  killOvsdb(signal?: EndSignal): Promise<void>;
  /** Starts whatever is not running. */
  startAgain(): Promise<void>;
  /** Stops both daemons and removes the directory. Idempotent. */
  stop(): Promise<void>;
}

/** @returns a network or bridge name that no other test uses: `prefix` and 8 hex digits. */
export function uniqueName(prefix: string): string {
  return `${prefix}${randomBytes(4).toString("hex")}`;
}

/** Starts a switch in a fresh short temporary directory; the caller stops it in `afterAll`. */
export async function startSandbox(): Promise<Sandbox> {
  const dir = await mkdtemp(join(tmpdir(), "pbs-"));
  const settings = await startIn(dir);
  const run = runner(settings.env);
  return {
    dir,
    ...settings,
    run,
    ...switchCommands(settings, run),
    ...lifeOf(dir),
  };
}

interface Settings {
  readonly ovsdb: string;
  readonly rundir: string;
  readonly datapath: Datapath;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs `ovs/sandbox.sh start` and reads the settings it prints. */
async function startIn(dir: string): Promise<Settings> {
  const { stdout } = await execa(SANDBOX_SCRIPT, ["start", dir], {
    timeout: COMMAND_LIMIT_MS,
  });
  const env = Object.fromEntries(
    stdout.split("\n").map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
  const { PATCHBAY_OVSDB: ovsdb, PATCHBAY_OVS_RUNDIR: rundir, PATCHBAY_DATAPATH: path } = env;
  if (ovsdb === undefined || rundir === undefined || !isDatapath(path)) {
    throw new Error(`sandbox.sh printed something else than its settings: ${stdout}`);
  }
  return { ovsdb, rundir, datapath: path, env };
}

type Run = Sandbox["run"];

function runner(env: Readonly<Record<string, string>>): Run {
  return async (command, args, stdin) => {
    const { PATCHBAY_OVS_RUNDIR: rundir } = env;
    const input = stdin === undefined ? {} : { input: stdin };
    const { stdout } = await execa(command, args, {
      env: { ...env, OVS_RUNDIR: rundir },
      timeout: COMMAND_LIMIT_MS,
      ...input,
    });
    return stdout;
  };
}

function switchCommands({ ovsdb, rundir, datapath }: Settings, run: Run) {
  const vsctl = (...args: string[]) => run("ovs-vsctl", [`--db=${ovsdb}`, "--timeout=10", ...args]);
  return {
    vsctl,
    // With OVS_RUNDIR set, a bare bridge name is looked up as RUNDIR/NAME.mgmt.
    ofctl: (...args: string[]) => run("ovs-ofctl", ["-O", "OpenFlow14", "--no-names", ...args]),
    appctl: async (...args: string[]) => {
      const socket = `${rundir}/ovs-vswitchd.${await pidIn(rundir, "ovs-vswitchd")}.ctl`;
      return run("ovs-appctl", ["-t", socket, ...args]);
    },
    addBridge: async (name: string) => {
      const settings = [`datapath_type=${datapath}`, "fail_mode=secure"];
      await vsctl("add-br", name, "--", "set", "Bridge", name, ...settings);
    },
  };
}

function lifeOf(dir: string) {
  return {
    vswitchdPid: () => pidIn(dir, "ovs-vswitchd"),
    killVswitchd: (signal: EndSignal = "SIGKILL") => endDaemon(dir, "ovs-vswitchd", signal),
    killOvsdb: (signal: EndSignal = "SIGKILL") => endDaemon(dir, "ovsdb-server", signal),
    startAgain: async () => {
      await startIn(dir);
    },
    stop: async () => {
      await execa(SANDBOX_SCRIPT, ["stop", dir], { timeout: COMMAND_LIMIT_MS });
      await rm(dir, { recursive: true, force: true });
    },
  };
}

type Daemon = "ovs-vswitchd" | "ovsdb-server";

async function pidIn(dir: string, daemon: Daemon): Promise<number> {
  return Number.parseInt(await readFile(join(dir, `${daemon}.pid`), "utf8"), 10);
}

async function endDaemon(dir: string, daemon: Daemon, signal: EndSignal): Promise<void> {
  const pid = await pidIn(dir, daemon);
  process.kill(pid, signal);
  await gone(pid);
}

/** Waits until a process has ended: gone, or a zombie that its parent has yet to collect. */
async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + COMMAND_LIMIT_MS;
  while (await isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return !/\) [ZX] /.test(stat);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

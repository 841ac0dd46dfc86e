import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, isAlive, isRoot, ROOT, run, succeeds } from "./process.mjs";
import { step } from "./progress.mjs";
import { note } from "./terminal.mjs";

const SANDBOX = join(ROOT, "ovs/sandbox.sh");
const INSTALL = join(ROOT, "ovs/install.sh");
/** What people call a bridge's datapath_type. */
const DATAPATHS = { netdev: "userspace", system: "kernel" };
const SYSTEM_RUNDIR = "/var/run/openvswitch";

/**
 * @typedef {object} Switch
 * @property {"given" | "system" | "sandbox" | "none"} kind
 * @property {string} label what it is, for people
 * @property {Record<string, string>} env settings for the daemon
 * @property {string[]} [why] `none`: the reasons, a sentence each
 * @property {boolean} [started] `sandbox`: this process started it, it did not run before
 */

/**
 * Finds the switch that the daemon shall program: the one that is set, else a usable system
 * instance, else a private one under `dataDir`.
 * @returns {Promise<Switch>}
 */
export async function chooseSwitch(dataDir, env, signal) {
  if (env.PATCHBAY_OVSDB) {
    return { kind: "given", label: `Open vSwitch at ${env.PATCHBAY_OVSDB}`, env: {} };
  }
  if (env.PATCHBAY_BACKEND === "noop") return { kind: "none", label: "no-op", env: {}, why: [] };
  const system = await systemSwitch(env);
  if (system !== undefined) return system;
  const dir = join(dataDir, "ovs");
  try {
    return await privateSwitch(dir, env, signal);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return noSwitch(dir, env, reasonsIn(error));
  }
}

const MOST_REASONS = 8;

/** What apt and our scripts say went wrong, without what they say while all goes well. */
function reasonsIn({ output, message }) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const telling = lines.filter((line) => /^(E:|dpkg: error|\w+\.sh: )/.test(line));
  const reasons = telling.length > 0 ? telling : lines;
  return reasons.length > 0 ? reasons.slice(-MOST_REASONS) : [message];
}

/** A system instance is of use when its datapath is: the kernel's, unless netdev was asked for. */
async function systemSwitch(env) {
  if (!isRoot() || !existsSync(`${SYSTEM_RUNDIR}/db.sock`)) return undefined;
  const db = `unix:${SYSTEM_RUNDIR}/db.sock`;
  const datapath = env.PATCHBAY_DATAPATH === "netdev" ? "netdev" : "system";
  const usable = await step("looking at the system's Open vSwitch", () => isUsable(db, datapath));
  if (!usable) {
    note("the system's Open vSwitch has no usable datapath; starting a private one");
    return undefined;
  }
  return {
    kind: "system",
    label: `the system's Open vSwitch (${DATAPATHS[datapath]} datapath)`,
    env: switchEnv(db, SYSTEM_RUNDIR, datapath),
  };
}

async function isUsable(db, datapath) {
  return (
    (await succeeds("ovs-vsctl", [`--db=${db}`, "--timeout=3", "--no-wait", "show"])) &&
    (await succeeds("ovs-appctl", ["-T", "3", "-t", "ovs-vswitchd", "version"])) &&
    (datapath === "netdev" || (await kernelDatapathIsThere(db)))
  );
}

/** Asks without making anything: is the type offered, and does the kernel know it? */
async function kernelDatapathIsThere(db) {
  const get = [`--db=${db}`, "--timeout=3", "--no-wait", "get", "Open_vSwitch", "."];
  const { stdout } = await run("ovs-vsctl", [...get, "datapath_types"], { limitMs: 5000 });
  return /\bsystem\b/.test(stdout) && (await succeeds("ovs-dpctl", ["dump-dps"]));
}

async function privateSwitch(dir, env, signal) {
  if (process.platform !== "linux") return noSwitch(dir, env, ["Open vSwitch runs on Linux only."]);
  if (!isRoot()) {
    return noSwitch(dir, env, ["A private Open vSwitch needs root (it makes network devices)."]);
  }
  await step("making sure that Open vSwitch is installed", (say) =>
    run(INSTALL, [], { signal, onLine: say }),
  );
  const started = !sandboxRuns(dir);
  const settings = await step("starting a private Open vSwitch", () => startSandbox(dir));
  const datapath = DATAPATHS[settings.PATCHBAY_DATAPATH];
  const label = `a private Open vSwitch (${datapath} datapath) in ${dir}`;
  return { kind: "sandbox", label, env: settings, started };
}

/** Names a switch that does not answer, lest the daemon take a system instance found unusable. */
function noSwitch(dir, env, why) {
  const datapath = env.PATCHBAY_SANDBOX_DATAPATH === "system" ? "system" : "netdev";
  return {
    kind: "none",
    label: "no-op",
    env: switchEnv(`unix:${dir}/db.sock`, dir, datapath),
    why,
  };
}

function switchEnv(ovsdb, rundir, datapath) {
  return {
    PATCHBAY_OVSDB: ovsdb,
    PATCHBAY_OVS_RUNDIR: rundir,
    PATCHBAY_DATAPATH: datapath,
  };
}

/** Starts whatever of a private switch is not running. @returns its settings */
export async function startSandbox(dir) {
  return sandboxSettings((await run(SANDBOX, ["start", dir])).stdout);
}

/** @returns {Record<string, string>} what `ovs/sandbox.sh start` has printed */
export function sandboxSettings(printed) {
  const lines = printed.trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.match(/^([^=]+)=(.*)$/s)?.slice(1) ?? []));
}

export async function stopSandbox(dir) {
  await run(SANDBOX, ["stop", dir]);
}

/** @returns {boolean} whether both daemons of a private switch run; cheap enough for every second */
export function sandboxRuns(dir) {
  return ["ovsdb-server", "ovs-vswitchd"].every((name) => {
    const file = join(dir, `${name}.pid`);
    const pid = existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : Number.NaN;
    return pid > 0 && isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(name);
  });
}

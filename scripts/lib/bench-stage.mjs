import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchDaemon } from "./bench-daemon.mjs";
import { makeTenant } from "./bench-tenant.mjs";
import { run, sleep } from "./process.mjs";
import { startSandbox, stopSandbox } from "./switch.mjs";
import { until } from "./until.mjs";
import { cpuMs } from "./usage.mjs";

const APPLY_LIMIT_MS = 120_000;
const POLL_MS = 2;

/**
 * A private switch with a daemon and one tenant, for one measurement.
 * @typedef {object} Stage
 * @property {string} url of the daemon
 * @property {(method: string, path: string, body?: object) => Promise<any>} call as the tenant
 * @property {(method: string, path: string, body?: object) => Promise<any>} operator
 * @property {() => { "ovs-vswitchd": number, daemon: number }} pids
 * @property {() => number} daemonCpuMs what the daemon has computed so far
 * @property {() => number} switchCpuMs what ovs-vswitchd has computed so far
 * @property {(work: (db: any) => Promise<any>) => Promise<any>} whileDown with the daemon's database
 * @property {(...args: string[]) => Promise<string>} vsctl
 * @property {(bridge: string, command: string, ...args: string[]) => Promise<string>} ofctl
 * @property {"netdev" | "system"} datapath of the switch, as a bridge's datapath_type names it
 * @property {string} switchDir where the switch has its sockets and pid files
 * @property {Record<string, string>} env for ovs/netns.sh
 * @property {AbortSignal} signal
 * @property {import("./undo.mjs").Undo} undo
 */

/**
 * @param {Record<string, string>} settings of the daemon, beyond those of every benchmark
 * @returns {Promise<Stage>}
 */
export async function makeStage(undo, signal, settings = {}) {
  const dir = mkdtempSync(join(tmpdir(), "pbg-"));
  undo.add(() => rmSync(dir, { recursive: true, force: true }));
  const switchDir = join(dir, "ovs");
  const ovs = await undo.make(
    () => startSandbox(switchDir),
    () => stopSandbox(switchDir),
  );
  const daemon = new BenchDaemon(stageSettings(ovs, join(dir, "data"), settings), signal);
  undo.add(() => daemon.stop());
  const url = await daemon.start();
  const { call, operator, token } = await makeTenant(url);
  const pids = () => ({ "ovs-vswitchd": switchPid(switchDir), daemon: daemon.pid });
  return {
    url,
    call: unlessStopped(signal, call),
    operator: unlessStopped(signal, operator),
    pids,
    daemonCpuMs: () => cpuMs(pids().daemon),
    switchCpuMs: () => cpuMs(pids()["ovs-vswitchd"]),
    whileDown: (work) => daemon.whileDown(work),
    ...switchTools(ovs, signal),
    datapath: ovs.PATCHBAY_DATAPATH,
    switchDir,
    env: { ...ovs, PATCHBAY_URL: url, PATCHBAY_TOKEN: token },
    signal,
    undo,
  };
}

function stageSettings(ovs, dataDir, settings) {
  return {
    ...ovs,
    PATCHBAY_BACKEND: "ovs",
    PATCHBAY_DATA_DIR: dataDir,
    // A full comparison in the middle of a figure would be luck.
    PATCHBAY_RESYNC_SECONDS: "3600",
    ...settings,
  };
}

function switchPid(switchDir) {
  return Number(readFileSync(join(switchDir, "ovs-vswitchd.pid"), "utf8"));
}

/** Makes no further call once the bench has been told to stop. */
function unlessStopped(signal, call) {
  return async (...args) => {
    signal.throwIfAborted();
    return call(...args);
  };
}

function switchTools({ PATCHBAY_OVSDB: db, PATCHBAY_OVS_RUNDIR: rundir }, signal) {
  const tool = async (command, args) => (await run(command, args, { signal })).stdout;
  return {
    vsctl: (...args) => tool("ovs-vsctl", [`--db=${db}`, "--timeout=300", ...args]),
    ofctl: (bridge, command, ...args) => {
      const target = `unix:${join(rundir, `${bridge}.mgmt`)}`;
      return tool("ovs-ofctl", ["-O", "OpenFlow14", "--no-names", command, target, ...args]);
    },
  };
}

/**
 * What the daemon says of one bridge, to the operator: this answer is made without the database,
 * which runs in the daemon itself. To ask for a VPC as often would slow down what is measured.
 */
export async function bridgeStatus({ operator }, bridge) {
  const { bridges } = await operator("GET", "/data-plane");
  const found = bridges.find((each) => each.bridge === bridge);
  if (found === undefined) throw new Error(`the daemon knows no bridge ${bridge}`);
  if (found.lastError !== null) throw new Error(`${bridge}: ${found.lastError}`);
  return found;
}

/** Waits, looking every other millisecond. @returns the status that fulfils the condition */
export async function untilBridge(stage, bridge, condition) {
  const deadline = Date.now() + APPLY_LIMIT_MS;
  for (;;) {
    const status = await bridgeStatus(stage, bridge);
    if (condition(status)) return status;
    if (Date.now() > deadline) throw new Error(`${bridge} still is ${JSON.stringify(status)}`);
    await sleep(POLL_MS);
  }
}

/** Waits until the switch does for a VPC all that is stored; then the VPC itself says so. */
export async function untilProgrammed({ call }, vpcId) {
  const programmed = async () => {
    const { dataPlane } = await call("GET", `/vpcs/${vpcId}`);
    return dataPlane.state === "programmed";
  };
  await until(`${vpcId} is programmed`, programmed, { limitMs: APPLY_LIMIT_MS });
}

/** Waits until the switch does for every VPC all that is stored. */
export async function untilAllProgrammed({ call }) {
  const programmed = async () => {
    const { items } = await call("GET", "/vpcs?limit=1000");
    return items.every(({ dataPlane }) => dataPlane.state === "programmed");
  };
  await until("all VPCs are programmed", programmed, { limitMs: APPLY_LIMIT_MS });
}

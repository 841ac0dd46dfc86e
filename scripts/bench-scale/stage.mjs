import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startSandbox, stopSandbox } from "../lib/switch.mjs";
import { ScaleDaemon } from "./daemon.mjs";
import { seedScale } from "./seed.mjs";
import { cpuMs, memoryOf } from "./usage.mjs";

const SWITCH_PROCESSES = ["ovs-vswitchd", "ovsdb-server"];

/**
 * A private switch, and a daemon for it that is still down, on an embedded database with VPCs in it.
 * @param {{ vpcs: number, peerings: number, interfaces: number }} size
 */
export async function makeStage({ undo, dir, options }, size) {
  const rundir = join(dir, "ovs");
  undo.add(() => stopSandbox(rundir));
  const settings = { ...(await startSandbox(rundir)), PATCHBAY_BACKEND: "ovs" };
  const dataDir = join(dir, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const daemon = new ScaleDaemon({ dataDir, settings, profileDir: options.profile });
  undo.add(() => daemon.stop());
  await daemon.start();
  const call = await daemon.tenant();
  await daemon.whileDown((db) => seedScale(db, daemon.tenantId, size));
  return { daemon, call, rundir, usage: () => usageOf(daemon, rundir) };
}

/** @returns {Record<string, { cpuMs: number, rssMiB: number, peakMiB: number }>} by process */
function usageOf(daemon, rundir) {
  const pids = SWITCH_PROCESSES.map((name) => {
    return [name, Number(readFileSync(join(rundir, `${name}.pid`), "utf8"))];
  });
  const all = [["daemon", daemon.pid], ...pids];
  return Object.fromEntries(
    all.map(([name, pid]) => [name, { cpuMs: cpuMs(pid), ...memoryOf(pid) }]),
  );
}

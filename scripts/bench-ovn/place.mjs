import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run } from "../lib/process.mjs";
import { sandboxSettings } from "../lib/switch.mjs";

const SANDBOX = join(ROOT, "ovs/sandbox.sh");
const LIMIT_MS = 600_000;

/**
 * A private switch in a network namespace of its own. Both sides get one of these, made alike: two
 * such switches in one namespace would collide on their devices, for the kernel has one datapath a
 * namespace, and hundreds of ports in the machine's own would be in everybody's way.
 *
 * The datapath is the one that ovs/sandbox.sh is told of (PATCHBAY_SANDBOX_DATAPATH).
 * @param {{ dir: string, tag: string, undo: import("../lib/undo.mjs").Undo }} bench
 * @param {string} side a letter or two, unique within this run
 * @returns {Promise<Place>}
 */
export async function makePlace(bench, side) {
  const netns = `${bench.tag}-${side}`;
  const dir = join(bench.dir, side);
  mkdirSync(dir, { mode: 0o700 });
  await makeNamespace(bench.undo, netns);
  const inside = (command, args) =>
    run("ip", ["netns", "exec", netns, command, ...args], { limitMs: LIMIT_MS });
  const switchDir = join(dir, "ovs");
  const sandbox = (verb) => inside(SANDBOX, [verb, switchDir]);
  const start = async () => sandboxSettings((await sandbox("start")).stdout);
  const settings = await bench.undo.make(start, () => sandbox("stop"));
  const { PATCHBAY_OVSDB: ovsdb, PATCHBAY_DATAPATH: datapath } = settings;
  const about = { tag: bench.tag, undo: bench.undo, side, netns, dir, switchDir, ovsdb, datapath };
  return { ...about, inside, restart: start };
}

/**
 * @typedef {object} Place
 * @property {string} tag of the run
 * @property {import("../lib/undo.mjs").Undo} undo
 * @property {string} side
 * @property {string} netns
 * @property {string} dir
 * @property {string} switchDir
 * @property {string} ovsdb
 * @property {"system" | "netdev"} datapath
 * @property {(command: string, args: string[]) => Promise<{ stdout: string }>} inside runs a program
 *   in the namespace
 * @property {() => Promise<unknown>} restart starts what of the switch does not run
 */

/** Runs one ovs-vsctl transaction on the place's switch, and waits until the switch has followed. */
export function vsctl(place, args) {
  return run("ovs-vsctl", [`--db=${place.ovsdb}`, "--timeout=300", ...args]);
}

/** OpenFlow flows on all bridges of a switch. */
export async function countFlows({ ovsdb, switchDir }) {
  const { stdout } = await run("ovs-vsctl", [`--db=${ovsdb}`, "--no-wait", "list-br"]);
  let sum = 0;
  for (const bridge of stdout.trim().split("\n").filter(Boolean)) {
    const versions = "OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15";
    const target = `unix:${switchDir}/${bridge}.mgmt`;
    const answer = await run("ovs-ofctl", ["-O", versions, "--no-names", "dump-aggregate", target]);
    sum += Number(/flow_count=(\d+)/.exec(answer.stdout)[1]);
  }
  return sum;
}

/** The two daemons of the place's switch. */
export function switchProcesses({ switchDir }) {
  return ["ovsdb-server", "ovs-vswitchd"].map((name) => ({
    name,
    pid: Number(readFileSync(join(switchDir, `${name}.pid`), "utf8")),
    detached: true,
  }));
}

/** Makes a namespace for a workload; it goes with the run. */
export async function makeWorkloadNamespace(place, number) {
  const netns = `${place.tag}-${place.side}w${number}`;
  await makeNamespace(place.undo, netns);
  return netns;
}

async function makeNamespace(undo, netns) {
  await undo.make(
    () => run("ip", ["netns", "add", netns]),
    () => removeNamespace(netns),
  );
  await run("ip", ["-n", netns, "link", "set", "lo", "up"]);
}

async function removeNamespace(netns) {
  const { stdout } = await run("ip", ["netns", "list"]);
  const names = stdout.split("\n").map((line) => line.split(" ")[0]);
  if (names.includes(netns)) await run("ip", ["netns", "del", netns]);
}

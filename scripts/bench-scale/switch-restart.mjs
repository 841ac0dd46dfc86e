import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connects } from "../lib/connects.mjs";
import { CommandError, isAlive, run } from "../lib/process.mjs";
import { startSandbox } from "../lib/switch.mjs";
import { until } from "../lib/until.mjs";

const POLL_MS = 10;
const PATIENCE = { limitMs: 120_000, everyMs: POLL_MS };

/**
 * ovs-vswitchd is killed and started again, with a daemon that runs on. The exchange is opened last:
 * once it has its flows, so has every other bridge, which is looked at afterwards.
 * @returns ms until all flows are there: since the switch answers, and since it was killed
 */
export async function measureRestarts({ rundir }, runs) {
  const bridges = await bridgesOf(rundir);
  const exchange = bridges.find((name) => name.endsWith("x"));
  const wanted = await flowsOf(rundir, exchange);
  const all = await sumOf(rundir, bridges);
  const found = { restoredMs: [], awayMs: [], bridges: bridges.length, flows: all };
  for (let each = 0; each < runs; each += 1) {
    const pid = Number(readFileSync(join(rundir, "ovs-vswitchd.pid"), "utf8"));
    process.kill(pid, "SIGKILL");
    const killed = performance.now();
    await until("ovs-vswitchd has ended", () => !isAlive(pid), PATIENCE);
    const starting = startSandbox(rundir);
    const socket = join(rundir, `${exchange}.mgmt`);
    await until("the switch answers", () => connects(socket), PATIENCE);
    const answered = performance.now();
    const isOpen = async () => (await flowsOf(rundir, exchange)) >= wanted;
    await until("the exchange is open", isOpen, PATIENCE);
    const done = performance.now();
    await starting;
    const present = await sumOf(rundir, bridges);
    if (present !== all) throw new Error(`${present} of ${all} flows are back`);
    found.restoredMs.push(done - answered);
    found.awayMs.push(done - killed);
  }
  return found;
}

async function bridgesOf(rundir) {
  const { stdout } = await run("ovs-vsctl", [`--db=unix:${rundir}/db.sock`, "list-br"]);
  return stdout.trim().split("\n");
}

async function sumOf(rundir, bridges) {
  let sum = 0;
  for (const bridge of bridges) sum += await flowsOf(rundir, bridge);
  return sum;
}

/** None while the switch is still setting itself up: it may drop connections again. */
async function flowsOf(rundir, bridge) {
  const target = `unix:${join(rundir, `${bridge}.mgmt`)}`;
  const args = ["-O", "OpenFlow14", "--no-names", "dump-aggregate", target];
  try {
    const { stdout } = await run("ovs-ofctl", args);
    return Number(/flow_count=(\d+)/.exec(stdout)?.[1]);
  } catch (error) {
    if (error instanceof CommandError) return 0;
    throw error;
  }
}

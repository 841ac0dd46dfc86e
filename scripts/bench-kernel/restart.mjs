import { switchProcesses, vsctl } from "../bench-ovn/place.mjs";
import { CommandError, isAlive, run, sleep } from "../lib/process.mjs";
import { until } from "../lib/until.mjs";
import { longestGap, now, Stream } from "./stream.mjs";

/** ovs-vswitchd is away for so long: time enough to see whether the kernel goes on without it. */
const AWAY_MS = 2000;
/** After the start, what follows a first packet may still be cut off again. */
const AFTERWARDS_MS = 1000;
const LIMIT_SECONDS = 120;
const FALL_LIMIT_SECONDS = 10;

const FLAG = "flow-restore-wait";

/**
 * What restarts of ovs-vswitchd did to a stream across a peering; a value a restart, milliseconds.
 * @typedef {object} Restarts
 * @property {number} vpcs
 * @property {boolean} waiting whether it was told to wait (`flow-restore-wait`) until all flows of the
 *   exchange were there again
 * @property {number[]} away the longest gap while there was none
 * @property {number[]} gap the longest gap after it was started
 * @property {number[]} keptFor from the start until that gap began
 */

/** @returns {Promise<Restarts[]>} by site, and by whether the switch was told to wait */
export async function measureRestarts(bench, sites) {
  const ways = sites.flatMap((site) => [false, true].map((waiting) => ({ site, waiting })));
  const found = ways.map(({ site: { vpcs }, waiting }) => {
    return { vpcs, waiting, away: [], gap: [], keptFor: [] };
  });
  for (let turn = 0; turn < bench.options.restarts; turn += 1) {
    for (const [index, { site, waiting }] of ways.entries()) {
      const how = waiting ? "waiting" : "plain";
      bench.progress(`${site.vpcs} VPCs: ${how} restart ${turn + 1} of ${bench.options.restarts}`);
      const gaps = await restart(bench, site, waiting);
      for (const [name, ms] of Object.entries(gaps)) found[index][name].push(ms);
    }
  }
  return found;
}

async function restart({ undo }, site, waiting) {
  const { place, paths } = site;
  const { from, to } = paths.at(-1);
  const stream = await Stream.start(undo, from, to);
  await expectFlow(stream);
  const wanted = await exchangeFlows(place);
  if (waiting) await askToWait(place);
  const killed = await kill(place);
  await sleep(AWAY_MS);
  const started = now();
  const starting = place.restart();
  if (waiting) {
    const complete = async () => (await exchangeFlows(place)) >= wanted;
    await until("the exchange has its flows", complete, { everyMs: 200 });
    await letForward(place);
  }
  await stream.falls(FALL_LIMIT_SECONDS);
  await expectFlow(stream);
  await Promise.all([starting, sleep(AFTERWARDS_MS)]);
  const over = now();
  const log = await stream.end();
  await untilFollowed(site);
  const { ms: gap, begun } = longestGap(log, started, over);
  return { away: longestGap(log, killed, started).ms, gap, keptFor: begun - started };
}

export async function expectFlow(stream) {
  if (!(await stream.flows(LIMIT_SECONDS))) throw new Error("no packet crosses the peering");
}

/** Of the bridge that admits peerings, whose flows come last; none while it cannot be asked. */
async function exchangeFlows({ ovsdb, switchDir }) {
  const { stdout } = await run("ovs-vsctl", [`--db=${ovsdb}`, "--no-wait", "list-br"]);
  const exchange = stdout.split("\n").find((name) => name.endsWith("x"));
  const target = `unix:${switchDir}/${exchange}.mgmt`;
  try {
    const args = ["-O", "OpenFlow14", "--no-names", "dump-aggregate", target];
    return Number(/flow_count=(\d+)/.exec((await run("ovs-ofctl", args)).stdout)[1]);
  } catch (error) {
    if (error instanceof CommandError) return 0;
    throw error;
  }
}

/** The next ovs-vswitchd keeps the kernel's flows, and takes no packet, until it is let forward. */
export const askToWait = (place) =>
  vsctl(place, ["--no-wait", "set", "Open_vSwitch", ".", `other_config:${FLAG}=true`]);

export const letForward = (place) =>
  vsctl(place, ["--no-wait", "remove", "Open_vSwitch", ".", "other_config", FLAG]);

/** @returns {Promise<number>} when ovs-vswitchd was killed */
export async function kill(place) {
  const { pid } = switchProcesses(place).find(({ name }) => name === "ovs-vswitchd");
  const killed = now();
  process.kill(pid, "SIGKILL");
  await until("ovs-vswitchd has ended", () => !isAlive(pid), { everyMs: 10 });
  return killed;
}

/** Waits until the daemon has the switch follow everywhere: the next restart finds what this did. */
export async function untilFollowed({ side }) {
  const follows = async () => {
    const values = await side.metrics("switch_up", "bridges_behind", "bridges_failing");
    return values.switch_up === 1 && values.bridges_behind + values.bridges_failing === 0;
  };
  await until("all bridges follow", follows, { everyMs: 200 });
}

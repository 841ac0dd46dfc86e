import { vsctl } from "../bench-ovn/place.mjs";
import { addPort, makeWorkload } from "../bench-ovn/ports.mjs";
import { sleep } from "../lib/process.mjs";
import { until } from "../lib/until.mjs";
import { askToWait, expectFlow, kill, letForward, untilFollowed } from "./restart.mjs";
import { arrivedOf, now, Stream } from "./stream.mjs";

/** ovs-vswitchd is away, and a switch that waits is left waiting, for so long. */
const AWAY_MS = 1000;
const WAITING_MS = 3000;
/** What comes late comes within this. */
const AFTERWARDS_MS = 1000;

/** The first two are peered, the third is a stranger to both. */
export const WAITING_VPCS = 3;
const [NEAR, FAR, STRANGER] = [0, 1, 2];

/**
 * Whether old flows that are kept over a restart let packets pass that must not: of a peering that was
 * cut meanwhile, and to a port that was plugged in meanwhile in place of another one.
 */
export async function measureWaiting(bench, site) {
  const found = { cut: [], replaced: [] };
  let number = 0;
  for (let turn = 0; turn < bench.options.restarts; turn += 1) {
    for (const waiting of [false, true]) {
      bench.progress(
        `a peering is cut while the switch is away${waiting ? ", then it waits" : ""}`,
      );
      found.cut.push({ waiting, ...(await cutWhileAway(bench, site, waiting)) });
    }
    for (const way of REPLACEMENTS) {
      bench.progress(`a port is replaced: ${way.name}`);
      found.replaced.push({ way: way.name, ...(await replacePort(bench, site, way, number)) });
      number += 1;
    }
  }
  return found;
}

async function cutWhileAway({ undo }, site, waiting) {
  const { side, place, paths, peering } = site;
  const { from, to } = paths.at(-1);
  const stream = await Stream.start(undo, from, to);
  await expectFlow(stream);
  if (waiting) await askToWait(place);
  await kill(place);
  const asked = now();
  await side.call("DELETE", `/vpc-peerings/${peering.id}`);
  await sleep(AWAY_MS);
  const started = now();
  await place.restart();
  const told = waiting ? await leaveWaiting(site) : undefined;
  const freed = now();
  await until("the peering is deleted", async () => (await stateOf(site)) === "deleted", {
    everyMs: 10,
  });
  const deleted = now();
  await sleep(AFTERWARDS_MS);
  const log = await stream.end();
  site.peering = await side.peer([NEAR, FAR]);
  return {
    stateWhileWaiting: told,
    passedAfterDelete: arrivedOf(log, asked),
    passedAfterStart: arrivedOf(log, started),
    passedAfterWaiting: arrivedOf(log, freed),
    passedAfterDeleted: arrivedOf(log, deleted),
    lastPacketMs: log.arrived.at(-1).at - started,
    deletedMs: deleted - started,
  };
}

const stateOf = async ({ side, peering }) =>
  (await side.call("GET", `/vpc-peerings/${peering.id}`)).state;

/** @returns what the peering's state is when the wait ends */
async function leaveWaiting(site) {
  await sleep(WAITING_MS);
  const state = await stateOf(site);
  await letForward(site.place);
  return state;
}

const REPLACEMENTS = [
  { name: "while the switch runs", restart: false, waiting: false },
  { name: "while it is away", restart: true, waiting: false },
  { name: "while it is away, then it waits", restart: true, waiting: true },
];

/**
 * Unplugs an interface to which packets are on their way, and plugs a stranger's in instead: the kernel
 * gives it the number of the port that went, which old flows name.
 */
async function replacePort({ undo }, site, { restart, waiting }, number) {
  const { side, place, paths } = site;
  const victim = await side.addNeighbour(FAR, number);
  const port = await side.newPort(STRANGER, number);
  const stranger = await makeWorkload(place, port);
  const stream = await Stream.start(undo, paths.at(-1).from, victim, stranger);
  await expectFlow(stream);
  if (waiting) await askToWait(place);
  if (restart) await kill(place);
  const replaced = now();
  await vsctl(place, ["--no-wait", "del-port", victim.device, ...addPort(port)]);
  await place.inside("ip", ["link", "del", victim.device]);
  if (restart) {
    await sleep(AWAY_MS);
    await place.restart();
    await sleep(WAITING_MS);
  }
  if (waiting) await letForward(place);
  await sleep(AFTERWARDS_MS);
  const log = await stream.end();
  await untilFollowed(site);
  await vsctl(place, ["del-port", stranger.device]);
  return { strays: log.strays.length, lastStrayMs: (log.strays.at(-1) ?? replaced) - replaced };
}

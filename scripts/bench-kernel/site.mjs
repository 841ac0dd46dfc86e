import { startPatchbay } from "../bench-ovn/patchbay-side.mjs";
import { setOffload } from "../bench-ovn/ports.mjs";
import { serve } from "../lib/bench-host.mjs";
import { makePostgres } from "../lib/bench-postgres.mjs";
import { isAlive } from "../lib/process.mjs";
import { linuxBridgePath, PLAIN_KINDS, plainPath } from "./comparisons.mjs";

/** VPCs with a workload that packets are sent from: the two ends of the peering. */
const ENDS = 2;
/** What `processes` of a side calls its daemon. */
const DAEMON = "patchbay";

/**
 * A way for packets whose speed is measured.
 * @typedef {object} Path
 * @property {string} name
 * @property {import("../bench-ovn/ports.mjs").Workload} from
 * @property {import("../bench-ovn/ports.mjs").Workload} to
 */

/**
 * A switch and a daemon in a network namespace, with so many VPCs. The kernel has a datapath for each
 * namespace: so several sites are there at once, and take turns within one run.
 * @typedef {object} Site
 * @property {number} vpcs
 * @property {object} side
 * @property {import("../bench-ovn/place.mjs").Place} place
 * @property {object} peering between the first two VPCs
 * @property {Path[]} paths
 */

/** @returns {Promise<Site>} with one peering, and nothing beside it yet */
export async function makeSite(bench, vpcs, number) {
  bench.progress(`${vpcs} VPCs: making them`);
  const round = String.fromCharCode("a".charCodeAt(0) + number);
  const side = await startPatchbay({ ...bench, round }, await newDatabase(bench.undo));
  const [near, far] = await side.grow(vpcs, ENDS);
  const peering = await side.peer([0, 1]);
  const paths = [{ name: "peering", from: near, to: far }];
  return { vpcs, side, place: side.place, peering, paths };
}

/**
 * On one PostgreSQL for all sites where it is installed, for an embedded database takes hundreds of
 * MiB for each.
 */
async function newDatabase(undo) {
  let database;
  await undo.make(
    async () => {
      database = await makePostgres();
    },
    () => database?.remove(),
  );
  if (database !== undefined && process.env.DATABASE_URL === undefined) {
    process.env.DATABASE_URL = database.databaseUrl;
    undo.add(() => delete process.env.DATABASE_URL);
  }
  return database?.databaseUrl;
}

/**
 * Adds what a peering is compared with.
 * @param {boolean} all also what does not depend on the number of VPCs
 */
export async function addComparisons(bench, site, all) {
  const { place, side, paths } = site;
  paths.unshift({ name: "inside", from: paths[0].from, to: await side.addNeighbour(0) });
  const kinds = all ? PLAIN_KINDS : PLAIN_KINDS.slice(0, 1);
  for (const name of kinds.toReversed()) paths.unshift(await plainPath(place, name));
  if (all) paths.unshift(await linuxBridgePath(place));
  for (const { to } of paths) await serve(bench.undo, to);
}

/**
 * Lets the switch of one site run, and nothing else of any: what others do while nobody asks anything
 * of them is not what is measured, and hundreds of bridges keep a processor busy. A daemon that stood
 * still for seconds looks at its whole switch when it goes on, so none goes on in between.
 */
export function letOnlySwitchRun(site, sites) {
  for (const each of sites) {
    for (const { name, pid } of each.side.processes()) {
      const runs = each === site && name !== DAEMON;
      process.kill(pid, runs ? "SIGCONT" : "SIGSTOP");
    }
  }
}

export function letAllRun(sites) {
  for (const { side } of sites) {
    for (const { pid } of side.processes()) if (isAlive(pid)) process.kill(pid, "SIGCONT");
  }
}

/** At both ends of every path. @param {"on" | "off"} offload */
export async function setOffloads({ place, paths }, offload) {
  const ends = new Map(paths.flatMap(({ from, to }) => [from, to]).map((end) => [end.netns, end]));
  for (const end of ends.values()) await setOffload(place, end, offload);
}

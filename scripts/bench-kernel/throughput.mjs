import { join } from "node:path";
import { SMALL, tcpThroughput } from "../lib/bench-iperf.mjs";
import { ROOT, run } from "../lib/process.mjs";
import { costOf, readCounters } from "./datapath.mjs";
import { letAllRun, letOnlySwitchRun, setOffloads } from "./site.mjs";

const FLOOD = join(ROOT, "scripts/bench-kernel/flood.py");
const PYTHON = "/usr/bin/python3";

/**
 * What was found on one path, a value a round.
 * @typedef {object} Found
 * @property {number} vpcs
 * @property {string} path
 * @property {"on" | "off"} offload
 * @property {number[]} tcp bits a second
 * @property {number[]} tcpCpu bits for each second that sender and receiver computed
 * @property {number[]} packets a second
 * @property {number[]} packetUs processor time of one packet, sender and receiver included
 * @property {ReturnType<typeof costOf>[]} cost of a packet to the datapath
 */

/** All paths of all sites in turn, each with offload and without. @returns {Promise<Found[]>} */
export async function measureThroughput(bench, sites) {
  const { rounds, offloads } = bench.options;
  const found = new Map();
  bench.undo.add(() => letAllRun(sites));
  for (let round = 0; round < rounds; round += 1) {
    for (const offload of round % 2 === 0 ? offloads : offloads.toReversed()) {
      bench.progress(`throughput: round ${round + 1} of ${rounds}, offload ${offload}`);
      for (const site of rotated(sites, round)) {
        letOnlySwitchRun(site, sites);
        await setOffloads(site, offload);
        for (const path of rotated(site.paths, round)) {
          await measurePath(bench, site, path, offload, found);
        }
      }
    }
  }
  letAllRun(sites);
  return [...found.values()];
}

/** None always follows the same other one. */
function rotated(all, by) {
  const at = by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

async function measurePath({ options, signal }, site, path, offload, found) {
  const key = `${site.vpcs} ${path.name} ${offload}`;
  if (!found.has(key)) found.set(key, emptyFound(site, path, offload));
  const entry = found.get(key);
  const tcp = await tcpThroughput(path.from, path.to, options.seconds, signal);
  entry.tcp.push(tcp.perSecond);
  entry.tcpCpu.push(tcp.amount / tcp.cpuSeconds);
  const before = await readCounters(site.place);
  const { arrived, seconds, cpu } = await flood(path, options.seconds, signal);
  entry.packets.push(arrived / seconds);
  entry.packetUs.push((1e6 * cpu) / arrived);
  entry.cost.push(costOf(before, await readCounters(site.place), arrived));
}

function emptyFound({ vpcs }, { name }, offload) {
  const values = { tcp: [], tcpCpu: [], packets: [], packetUs: [], cost: [] };
  return { vpcs, path: name, offload, ...values };
}

/** Datagrams of 64 bytes, as many as one processor can send and carry. */
async function flood({ from, to }, seconds, signal) {
  const ends = [from, to].map(({ netns, address }) => `${netns}=${address}`);
  const args = [FLOOD, ...ends, `${seconds}`, `${SMALL}`];
  const { stdout } = await run(PYTHON, args, { limitMs: seconds * 1000 + 30_000, signal });
  return JSON.parse(stdout);
}

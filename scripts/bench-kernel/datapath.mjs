import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../lib/process.mjs";

/** Asks ovs-vswitchd of a place. */
export async function appctl({ switchDir }, args) {
  const pid = readFileSync(join(switchDir, "ovs-vswitchd.pid"), "utf8").trim();
  const socket = join(switchDir, `ovs-vswitchd.${pid}.ctl`);
  return (await run("ovs-appctl", ["-t", socket, ...args])).stdout;
}

/**
 * What the datapath has counted so far.
 * @typedef {object} Counters
 * @property {number} lookups of flows: one for each time that a packet goes through its tables
 * @property {number} masks that were tried for them; none on the userspace datapath
 * @property {number} flows
 * @property {number} allMasks
 */

/** @returns {Promise<Counters>} */
export async function readCounters(place) {
  return parseCounters(await appctl(place, ["dpctl/show"]));
}

/** @param {string} text of `dpctl/show`: one datapath, for each namespace has its own */
export function parseCounters(text) {
  const number = (pattern) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    lookups: number(/lookups: hit:(\d+)/) + number(/ missed:(\d+)/),
    masks: number(/masks: hit:(\d+)/),
    flows: number(/^\s+flows: (\d+)/m),
    allMasks: number(/ total:(\d+)/),
  };
}

/** What a packet cost the datapath, from readings before and after so many. */
export function costOf(before, after, packets) {
  const lookups = after.lookups - before.lookups;
  return {
    lookupsAPacket: lookups / packets,
    masksALookup: (after.masks - before.masks) / lookups,
    flows: after.flows,
    allMasks: after.allMasks,
  };
}

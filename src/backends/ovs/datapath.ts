import { randomInterfaceMac } from "../../domain/mac.js";
import { RpcError } from "./json-rpc.js";
import type { Unixctl } from "./unixctl.js";

const WAIT_LIMIT_MS = 10_000;
/** A poke is missed about once in a hundred times (measured); each pause is twice the one before. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 160;

const UNTAGGED = "0";

/**
 * Returns when no packet is forwarded any more by flows that a bundle has removed.
 *
 * A committed bundle changes the tables at once, but the datapath's cache only by the next round of
 * the revalidators. `revalidator/wait` (ovs-vswitchd(8)) answers at the end of a round, which may
 * have begun before the bundle; the round after that one cannot have. So: wait twice.
 */
export async function confirmDatapath(unixctl: Unixctl, bridge: string): Promise<void> {
  try {
    await waitForRound(unixctl, bridge);
    await waitForRound(unixctl, bridge);
  } catch (error) {
    if (!isSeveralDatapaths(error)) throw error;
    await purgeDatapaths(unixctl);
  }
}

/** An idle switch has one round in 500 ms: so ask for a round until one has ended. */
async function waitForRound(unixctl: Unixctl, bridge: string): Promise<void> {
  const round = unixctl.run("revalidator/wait", [], WAIT_LIMIT_MS);
  const poke = () => pokeRevalidators(unixctl, bridge);
  const poking = keepPoking(poke, round);
  await Promise.all([round, poking]);
}

async function keepPoking(poke: () => Promise<void>, until: Promise<unknown>): Promise<void> {
  const ended = until.then(
    () => true,
    () => true,
  );
  let over = false;
  for (let pause = FIRST_PAUSE_MS; !over; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    await poke();
    over = await Promise.race([ended, later(pause)]);
  }
}

/**
 * Starts a round. A change of what a bridge has learned, which only the action NORMAL reads, makes
 * the revalidators look at every datapath flow, on either datapath (Open vSwitch 2.17 and later).
 * Refused, say because somebody has just deleted the bridge, it only leaves the wait as long as it is.
 */
async function pokeRevalidators(unixctl: Unixctl, bridge: string): Promise<void> {
  const mac = randomInterfaceMac();
  try {
    await unixctl.runBeside("fdb/add", [bridge, bridge, UNTAGGED, mac]);
    await unixctl.runBeside("fdb/del", [bridge, UNTAGGED, mac]);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
}

/** With a kernel and a userspace datapath in one ovs-vswitchd there is nothing to wait for. */
function isSeveralDatapaths(error: unknown): boolean {
  return error instanceof RpcError && error.message.includes("multiple udpifs");
}

/**
 * Throws all cached datapath flows away, before it answers; traffic makes them anew. Twice, for a
 * packet that was being classified by the old flows meanwhile.
 */
async function purgeDatapaths(unixctl: Unixctl): Promise<void> {
  await unixctl.run("revalidator/purge", []);
  await unixctl.run("revalidator/purge", []);
}

function later(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms);
  });
}

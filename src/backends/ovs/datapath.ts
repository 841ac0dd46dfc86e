import { RpcError } from "./json-rpc.js";
import type { Unixctl } from "./unixctl.js";

const WAIT_LIMIT_MS = 10_000;
/** A poke is missed about once in a hundred times (measured); each pause is twice the one before. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 160;

/** TEST-NET-1 (RFC 5737): no tunnel ever leads there. */
const POKED_ADDRESS = "192.0.2.1";

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
 * Starts a round. A changed entry in the neighbour cache, which only tunnels read, makes the
 * revalidators look at every datapath flow; it ages out by itself.
 */
async function pokeRevalidators(unixctl: Unixctl, bridge: string): Promise<void> {
  const digits = Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
  const mac = `02:00:${(digits.match(/../g) ?? []).join(":")}`;
  await unixctl.runBeside("tnl/neigh/set", [bridge, POKED_ADDRESS, mac]);
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

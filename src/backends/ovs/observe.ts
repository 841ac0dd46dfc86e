import pLimit from "p-limit";
import { BackendError } from "../backend.js";
import type { Belief } from "./belief.js";
import { BundleError } from "./bundle.js";
import { CommandError } from "./exec.js";
import { SwitchNotHeld } from "./fence/fence.js";
import { messageOf } from "./message-of.js";
import type { Ofctl } from "./ofctl.js";

/** Measured: four at once restore 300 bridges in 2.2 s, one after another in 5.9 s. */
export const BRIDGES_AT_ONCE = 4;

/**
 * Reads the flows of bridges of which nothing is believed or that are suspect; with `fresh`, of all.
 * Ends only when every reading has: one that came late would take the place of newer belief.
 * @returns for bridges that could not be read, why
 * @throws BackendError when no bridge can be read: ovs-ofctl is missing, or the switch hangs
 */
export async function observe(
  bridges: Iterable<string>,
  belief: Belief,
  ofctl: Ofctl,
  fresh: boolean,
): Promise<Map<string, string>> {
  const limit = pLimit(BRIDGES_AT_ONCE);
  const troubles = new Map<string, string>();
  const isDoubtful = (bridge: string) =>
    belief.of(bridge) === undefined || belief.isSuspect(bridge);
  const unknown = [...bridges].filter((bridge) => fresh || isDoubtful(bridge));
  const { epoch } = belief;
  let hopeless: BackendError | undefined;
  const read = async (bridge: string) => {
    if (hopeless !== undefined) return;
    belief.startReading(bridge);
    try {
      const text = await ofctl.dumpFlows(bridge);
      if (belief.epoch === epoch) belief.learn(bridge, text);
    } catch (error) {
      belief.forget(bridge);
      if (isHopeless(error)) {
        hopeless ??= new BackendError(error.message, { cause: error, shareable: true });
      } else {
        troubles.set(bridge, troubleWith(bridge, error));
      }
    }
  };
  await Promise.all(unknown.map((bridge) => limit(read, bridge)));
  if (hopeless !== undefined) throw hopeless;
  return troubles;
}

/** Whether what went wrong with one bridge will go wrong with all of them. */
export function isHopeless(error: unknown): error is Error {
  if (error instanceof SwitchNotHeld) return true;
  return (error instanceof CommandError || error instanceof BundleError) && error.hopeless;
}

/** What went wrong with a bridge, for an operator. */
export function troubleWith(bridge: string, error: unknown): string {
  return `bridge ${bridge}: ${messageOf(error)}`;
}

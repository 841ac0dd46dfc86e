import type { Facts } from "./question.js";
import type { StopCode, Verdict } from "./verdict.js";

/** What stops a connection for the time being, and not by what is stored. */
const FOR_NOW: ReadonlySet<StopCode> = new Set([
  "switchOutage",
  "senderNotPluggedIn",
  "senderPortDead",
  "receiverNotPluggedIn",
  "receiverPortDead",
  "connectionLimit",
]);

/** Whether the verdict says how the switch is at the moment, and leaves open what intent says. */
export function isForNow({ stop }: Verdict): boolean {
  return stop !== undefined && FOR_NOW.has(stop.code);
}

/**
 * The same, with everybody plugged into a switch that works and has room.
 * @param strangers ids of interfaces that stay as they are: or the difference would tell how they are
 */
export function asPlanned(present: Facts, strangers: ReadonlySet<string> = new Set()): Facts {
  const { vpcs, peerings, withheld } = present;
  return {
    vpcs,
    peerings,
    withheld,
    isPluggedIn: (id) => !strangers.has(id) || present.isPluggedIn(id),
    isFull: (id, role) => strangers.has(id) && present.isFull(id, role),
    deadPort: (id) => (strangers.has(id) ? present.deadPort?.(id) : undefined),
  };
}

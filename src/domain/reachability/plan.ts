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

/** The same, with everybody plugged into a switch that works and has room. */
export function asPlanned({ vpcs, peerings, withheld }: Facts): Facts {
  return { vpcs, peerings, withheld, isPluggedIn: () => true, isFull: () => false };
}

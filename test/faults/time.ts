import { setTimeout as delay } from "node:timers/promises";

/**
 * Milliseconds of CLOCK_MONOTONIC, which every process of the machine shares: Python reads the same
 * as time.monotonic().
 */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Lets the load go on for a while that the schedule has drawn; nothing is ever awaited by this. */
export function pace(ms: number): Promise<void> {
  return delay(ms);
}

import { setImmediate as yieldToOthers } from "node:timers/promises";
import { keptSince } from "../domain/retention.js";
import { removeOldEvents as removeSome } from "../store/events.js";
import type { ServiceContext } from "./context.js";

/** Embedded, nothing else runs meanwhile. */
const AT_ONCE = 250;
/** For the sweep not to hold up the end of the daemon; the next one goes on. */
const MOST_BATCHES = 40;

/**
 * Removes events that are older or more than is kept, the oldest first and a few at a time.
 * @returns how many
 */
export async function removeOldEvents({
  db,
  clock,
  eventRetention,
}: Pick<ServiceContext, "db" | "clock" | "eventRetention">): Promise<number> {
  const kept = { since: keptSince(eventRetention, clock()), count: eventRetention.count };
  let removed = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const count = await removeSome(db, kept, AT_ONCE);
    removed += count;
    if (count < AT_ONCE) break;
    await yieldToOthers();
  }
  return removed;
}

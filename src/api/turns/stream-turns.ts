import type { StreamTurns } from "../../services/streams/streams.js";
import type { FairQueue, Party, Ticket } from "./fair-queue.js";
import { partyOf } from "./party.js";

/** What streams read, in turn with calls: each time for one part, until the signal is aborted. */
export function streamTurns(queue: FairQueue): StreamTurns {
  return (caller, signal) => async (read) => {
    const ticket = await placeFor(queue, partyOf(caller), signal);
    if (ticket === undefined) return undefined;
    try {
      return await read();
    } finally {
      queue.leave(ticket);
    }
  };
}

/** Undefined: aborted before there was one. */
function placeFor(
  queue: FairQueue,
  party: Party,
  signal: AbortSignal,
): Promise<Ticket | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const giveUp = () => {
      queue.leave(ticket);
      resolve(undefined);
    };
    const begin = () => {
      signal.removeEventListener("abort", giveUp);
      resolve(ticket);
    };
    // Not at once, as for a call: the daemon is to hear from its clients between two turns.
    const start = () => setImmediate(begin);
    // A tenant has only so many streams, and one that is refused would come back at once.
    const ticket: Ticket = { party, isBack: false, isNeverRefused: true, start };
    signal.addEventListener("abort", giveUp, { once: true });
    queue.enter(ticket);
  });
}

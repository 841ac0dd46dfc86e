import { DomainError } from "../../domain/errors.js";
import type { EventRange } from "../../store/events.js";

const ANEW =
  "Begin anew without `after` and `Last-Event-ID`, and read the resources that you follow again.";

/**
 * Nothing may be missing between event `after` and the next one that is answered.
 * @param after 0: whatever there is
 * @throws DomainError `Gone`
 */
export function requireUnbroken(after: number, { newest, removedUpTo }: EventRange): void {
  if (after === 0) return;
  if (after > newest) throw gone(beyondText(after, newest));
  if (after < removedUpTo) throw gone(removedText(after, removedUpTo));
}

/** The database is an older one than that from which the last event came. */
export function restoredUnderway(): DomainError {
  return gone("An older backup of the database has been restored.");
}

function beyondText(after: number, newest: number): string {
  // Beyond what can be counted to, it is not known which one was asked for.
  const missing = after < Number.MAX_SAFE_INTEGER ? `event ${after}` : "such event";
  return `There is no ${missing}: the newest is ${newest}. Perhaps an older backup of the database has been restored.`;
}

function removedText(after: number, upTo: number): string {
  return `Of the events after ${after}, those up to ${upTo} have been removed: events are kept for a limited time and in a limited number.`;
}

function gone(why: string): DomainError {
  return new DomainError("Gone", `${why} ${ANEW}`, { pointer: "/after" });
}

import type { Principal } from "../../domain/principal.js";
import type { ResourceEvent } from "../../domain/resources.js";
import { asSeenBy } from "../events.js";
import type { Follower } from "./follower.js";
import type { EventTail, InTurn } from "./tail.js";

const MOST_AT_ONCE = 100;

export interface FollowOptions {
  /** Who is calling by now; undefined once the credential is refused. */
  readonly recheck: () => Promise<Principal | undefined>;
  readonly signal: AbortSignal;
  /** In milliseconds: how long it may be silent. */
  readonly heartbeat: number;
  /** For what is read for this stream alone. */
  readonly inTurn: InTurn;
}

/**
 * Yields what happens to the caller's own resources, in commit order, nothing twice and without a
 * gap; an empty batch when there was nothing for a while. Ends when aborted or when the credential
 * is refused.
 *
 * Ids are handed out in commit order, so that whoever has seen event N misses none before it.
 */
export async function* followEvents(
  tail: EventTail,
  follower: Follower,
  { recheck, signal, heartbeat, inTurn }: FollowOptions,
): AsyncGenerator<readonly ResourceEvent[]> {
  let yieldedAt = performance.now();
  while (!signal.aborted) {
    const heard = follower.bell.rung;
    const events = await tail.read(follower, MOST_AT_ONCE, inTurn);
    const silence = performance.now() - yieldedAt;
    if (events.length === 0 && silence < heartbeat) {
      await follower.bell.next(heard, heartbeat - silence, signal);
      continue;
    }
    if (events.length > 0) {
      // After the read: what was committed after the credential ended is never shown to it.
      const caller = await recheck();
      if (caller === undefined) return;
      yield events.map((event) => asSeenBy(caller, event));
    } else yield [];
    yieldedAt = performance.now();
  }
}

import type { Principal } from "../domain/principal.js";
import type { ResourceEvent } from "../domain/resources.js";
import { findEvents } from "../store/change.js";
import type { ServiceContext } from "./context.js";
import { asSeenBy } from "./events.js";

const MOST_AT_ONCE = 100;

/** In milliseconds. */
export interface StreamTiming {
  /** How long the changes of other daemons may go unnoticed. */
  readonly poll: number;
  /** How long a stream may be silent. */
  readonly heartbeat: number;
  /** How long a silent stream goes on with a credential that is refused by now. */
  readonly recheck: number;
}

export const STREAM_TIMING: StreamTiming = { poll: 500, heartbeat: 15_000, recheck: 1000 };

/** Lets streams look at once when something may have changed. */
export class ChangeBell {
  readonly #listeners = new Set<() => void>();
  #rung = 0;

  /** How often it was rung so far. */
  get rung(): number {
    return this.#rung;
  }

  ring(): void {
    this.#rung += 1;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves once it has rung more than `heard` times, after `limitMs`, or when aborted. */
  next(heard: number, limitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#rung > heard || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#listeners.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

export interface StreamOptions {
  /** Id of the last event that the caller has seen. */
  readonly after: number;
  /** Who is calling by now; undefined once the credential is refused. */
  readonly recheck: () => Promise<Principal | undefined>;
  readonly bell: ChangeBell;
  readonly signal: AbortSignal;
  readonly timing?: StreamTiming;
}

/**
 * Yields what happens to the caller's own resources, in commit order, nothing twice and without a
 * gap; an empty batch when there was nothing for a while. Ends when aborted or when the credential
 * is refused.
 *
 * Ids are handed out in commit order, so that whoever has seen event N misses none before it.
 */
export async function* followEvents(
  ctx: ServiceContext,
  first: Principal,
  { after, recheck, bell, signal, timing = STREAM_TIMING }: StreamOptions,
): AsyncGenerator<readonly ResourceEvent[]> {
  let caller: Principal | undefined = first;
  let last = after;
  let checkedAt = performance.now();
  let yieldedAt = checkedAt;
  while (!signal.aborted) {
    const heard = bell.rung;
    const events = await findEvents(ctx.db, caller.tenantId, last, MOST_AT_ONCE);
    // After the read: what was committed after the credential ended is never shown to it.
    if (events.length > 0 || performance.now() - checkedAt >= timing.recheck) {
      caller = await recheck();
      if (caller === undefined) return;
      checkedAt = performance.now();
    }
    if (events.length > 0 || performance.now() - yieldedAt >= timing.heartbeat) {
      const seen: Principal = caller;
      yield events.map((event) => asSeenBy(seen, event));
      yieldedAt = performance.now();
      last = events.at(-1)?.id ?? last;
    }
    if (events.length < MOST_AT_ONCE) await bell.next(heard, timing.poll, signal);
  }
}

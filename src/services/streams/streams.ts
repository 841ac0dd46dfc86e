import { type Principal, requirePermission } from "../../domain/principal.js";
import type { ResourceEvent } from "../../domain/resources.js";
import { findEventRange } from "../../store/events.js";
import type { ServiceContext } from "../context.js";
import { type FollowOptions, followEvents } from "./follow.js";
import { StreamPlaces } from "./places.js";
import { requireUnbroken } from "./resume.js";
import { EventTail, type InTurn, type TailOptions } from "./tail.js";

/** In milliseconds. */
export interface StreamTiming {
  /** How long the changes of other daemons may go unnoticed. */
  readonly poll: number;
  /** How long a stream may be silent. */
  readonly heartbeat: number;
}

export const STREAM_TIMING: StreamTiming = { poll: 500, heartbeat: 15_000 };

export interface StreamRequest extends Pick<FollowOptions, "recheck" | "signal"> {
  /** Id of the last event that the caller has seen; undefined: from now on. */
  readonly after: number | undefined;
}

/** Turns in which a stream of this caller may read, until the signal is aborted. */
export type StreamTurns = (caller: Principal, signal: AbortSignal) => InTurn;

export interface StreamOptions {
  readonly log: TailOptions["log"];
  readonly turns: StreamTurns;
  readonly timing?: StreamTiming;
}

/** The event streams of this daemon. */
export class EventStreams {
  readonly places: StreamPlaces;
  readonly #ctx: ServiceContext;
  readonly #tail: EventTail;
  readonly #turns: StreamTurns;
  readonly #heartbeat: number;

  constructor(ctx: ServiceContext, { log, turns, timing = STREAM_TIMING }: StreamOptions) {
    this.#ctx = ctx;
    this.#turns = turns;
    this.#tail = new EventTail({ db: ctx.db, log, poll: timing.poll });
    this.#heartbeat = timing.heartbeat;
    this.places = new StreamPlaces(ctx.quotas);
  }

  /**
   * Opens a stream, whose place is taken until the signal is aborted or the stream has ended.
   * @throws DomainError `Forbidden`, `TooManyStreams`, `Gone`
   */
  async open(
    caller: Principal,
    { after, recheck, signal }: StreamRequest,
  ): Promise<AsyncIterable<readonly ResourceEvent[]>> {
    requirePermission(caller, "event:read");
    const leave = this.places.take(caller);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      const start = await this.#startOf(caller, after);
      return this.#follow(caller, start, { recheck, signal }, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * Whether a stream could be opened, without doing so.
   * @throws DomainError as `open` does
   */
  async probe(caller: Principal, after: number | undefined): Promise<void> {
    requirePermission(caller, "event:read");
    const leave = this.places.take(caller);
    await this.#startOf(caller, after).finally(leave);
  }

  /** 0 is an id to resume after: what an empty list answers as `nextAfter`. */
  async #startOf({ tenantId }: Principal, after: number | undefined): Promise<Start> {
    const range = await findEventRange(this.#ctx.db, tenantId);
    requireUnbroken(after ?? 0, range);
    const { newest, removedUpTo } = range;
    return { newest, after: after === 0 ? removedUpTo : (after ?? newest) };
  }

  async *#follow(
    caller: Principal,
    { after, newest }: Start,
    { recheck, signal }: Pick<FollowOptions, "recheck" | "signal">,
    leave: () => void,
  ): AsyncGenerator<readonly ResourceEvent[]> {
    const follower = this.#tail.join(caller.tenantId, after, newest);
    const inTurn = this.#turns(caller, signal);
    const heartbeat = this.#heartbeat;
    try {
      yield* followEvents(this.#tail, follower, { recheck, signal, heartbeat, inTurn });
    } finally {
      this.#tail.leave(follower);
      leave();
    }
  }
}

interface Start {
  readonly after: number;
  readonly newest: number;
}

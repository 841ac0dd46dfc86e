import { setTimeout as delay } from "node:timers/promises";
import type { PrismaClient } from "../../generated/prisma/client.js";
import { onRecorded } from "../../store/database/commit-news.js";
import {
  findEventRange,
  findEvents,
  findNewestEventId,
  type StoredEvent,
} from "../../store/events.js";
import { Bell } from "./bell.js";
import { Follower } from "./follower.js";
import { requireUnbroken, restoredUnderway } from "./resume.js";
import { EventWindow } from "./window.js";

/** Events that streams can have without a statement of their own. */
const KEPT_EVENTS = 1000;
/** Events that are read with one statement. */
const PART = 500;
/** However much is written, the table is not read more often than this. */
const GAP_MS = 20;

/** Reads when it is the reader's turn; undefined: the wait for it was given up. */
export type InTurn = <T>(read: () => Promise<T>) => Promise<T | undefined>;

export interface TailOptions {
  readonly db: PrismaClient;
  readonly log: { warn(details: object, message: string): void };
  /** In milliseconds: how long what other daemons have written may go unnoticed. */
  readonly poll: number;
}

/**
 * Reads the event table once for all streams of this daemon, from the first one that comes until the
 * last one goes, and hands each event to those whom it concerns.
 */
export class EventTail {
  readonly #options: TailOptions;
  readonly #window = new EventWindow(KEPT_EVENTS);
  readonly #followers = new Map<string | null, Set<Follower>>();
  #running: AbortController | undefined;
  #away = false;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /**
   * @param after the last event that the stream has seen
   * @param newest an event up to which all are committed
   */
  join(tenantId: string | null, after: number, newest: number): Follower {
    if (this.#running === undefined) this.#start(newest);
    const follower = new Follower(tenantId, after, this.#window.head);
    const those = this.#followers.get(tenantId) ?? new Set();
    this.#followers.set(tenantId, those.add(follower));
    return follower;
  }

  leave(follower: Follower): void {
    const those = this.#followers.get(follower.tenantId);
    if (!those?.delete(follower)) return;
    if (those.size === 0) this.#followers.delete(follower.tenantId);
    if (this.#followers.size === 0) this.#stop();
  }

  /**
   * What a follower has not seen yet; nothing when there is nothing, or not yet.
   * @param inTurn when the database may be asked for this follower alone
   * @throws DomainError `Gone` when something that it has not seen cannot be had any more
   */
  async read(follower: Follower, most: number, inTurn: InTurn): Promise<readonly StoredEvent[]> {
    if (follower.isRestored) throw restoredUnderway();
    if (!follower.isBehind) return [];
    const { after, tenantId } = follower;
    if (!this.#window.reaches(after)) {
      return (await inTurn(() => this.#catchUp(follower, most))) ?? [];
    }
    const { events, upTo } = this.#window.read(after, tenantId, most);
    follower.advance(upTo, this.#window.head);
    return events;
  }

  async #catchUp(follower: Follower, most: number): Promise<readonly StoredEvent[]> {
    const { db } = this.#options;
    const { after, tenantId } = follower;
    if (!this.#followers.get(tenantId)?.has(follower)) return [];
    // Known before the read, which therefore misses none up to there.
    const { head } = this.#window;
    const events = await findEvents(db, tenantId, after, most);
    // After the read: what is removed meanwhile may be missing in it.
    requireUnbroken(after, await findEventRange(db, tenantId));
    const last = events.at(-1)?.id ?? after;
    const upTo = events.length < most ? Math.max(last, head) : last;
    follower.advance(upTo, this.#window.head);
    return events;
  }

  #start(newest: number): void {
    const running = new AbortController();
    this.#running = running;
    this.#window.reset(newest);
    void this.#run(running.signal);
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { db, poll } = this.#options;
    const bell = new Bell();
    const silence = onRecorded(db, () => bell.ring());
    while (!signal.aborted) {
      const heard = bell.rung;
      await this.#look(signal).then(
        () => this.#noteAway(undefined),
        (error: unknown) => this.#noteAway(error),
      );
      await delay(GAP_MS);
      await bell.next(heard, poll, signal);
    }
    silence();
  }

  /** Reads what is new; nothing of it counts once the signal is aborted. */
  async #look(signal: AbortSignal): Promise<void> {
    const { db } = this.#options;
    const newest = await findNewestEventId(db);
    if (signal.aborted) return;
    if (newest < this.#window.head) return this.#restored();
    while (newest > this.#window.head) {
      const { head, newest: known } = this.#window;
      const found = await findEvents(db, null, known === undefined ? head : known.id - 1, PART);
      if (signal.aborted) return;
      if (!continues(known, found[0])) return this.#restored();
      this.#take(found, newest);
    }
  }

  /** @param found the first after the newest event that is kept, and that one itself */
  #take(found: readonly StoredEvent[], newest: number): void {
    const { head } = this.#window;
    const fresh = found.filter(({ id }) => id > head);
    const last = fresh.at(-1)?.id ?? head;
    this.#window.add(fresh, found.length < PART ? Math.max(last, newest) : last);
    for (const event of fresh) this.#tell(event);
  }

  #tell({ id, tenantId, otherTenantId }: StoredEvent): void {
    for (const somebody of new Set([null, tenantId, otherTenantId])) {
      for (const follower of this.#followers.get(somebody) ?? []) follower.notice(id);
    }
  }

  #restored(): void {
    for (const those of this.#followers.values()) for (const each of those) each.noticeRestore();
    this.#options.log.warn({}, "the database is an older one by now: the event streams end");
    this.#followers.clear();
    this.#stop();
  }

  #noteAway(error: unknown): void {
    const away = error !== undefined;
    if (away && !this.#away) {
      this.#options.log.warn({ err: error }, "events cannot be read; trying again");
    }
    this.#away = away;
  }
}

/** Whether the event after which one reads on is still what it was. */
function continues(known: StoredEvent | undefined, again: StoredEvent | undefined): boolean {
  if (known === undefined || again === undefined || again.id !== known.id) return true;
  return again.time.getTime() === known.time.getTime() && again.resourceId === known.resourceId;
}

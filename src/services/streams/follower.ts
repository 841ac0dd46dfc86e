import { Bell } from "./bell.js";

/**
 * How far a stream has come. This is all that the daemon keeps of events that a client does not take.
 */
export class Follower {
  /** Rings when there is something to read. */
  readonly bell = new Bell();
  #after: number;
  #isBehind: boolean;
  #restored = false;

  /**
   * @param tenantId whose events; null for all
   * @param after the last event that it has seen
   * @param head the newest event that is known
   */
  constructor(
    readonly tenantId: string | null,
    after: number,
    head: number,
  ) {
    this.#after = after;
    this.#isBehind = after < head;
  }

  /** It has seen all that concerns it up to this event, and all that there is unless it is behind. */
  get after(): number {
    return this.#after;
  }

  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** The database is an older one by now: what was sent may never have happened. */
  get isRestored(): boolean {
    return this.#restored;
  }

  /** There is a new event that concerns it. */
  notice(id: number): void {
    if (this.#isBehind || id <= this.#after) return;
    this.#after = id - 1;
    this.#isBehind = true;
    this.bell.ring();
  }

  /** It has seen what concerns it up to this event. */
  advance(upTo: number, head: number): void {
    this.#after = upTo;
    this.#isBehind = upTo < head;
  }

  noticeRestore(): void {
    this.#restored = true;
    this.bell.ring();
  }
}

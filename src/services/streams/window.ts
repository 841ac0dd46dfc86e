import type { StoredEvent } from "../../store/events.js";

/** What is read of a window at once. */
export interface Part {
  readonly events: readonly StoredEvent[];
  /** The id up to which nothing is missing from `events`. */
  readonly upTo: number;
}

/** The newest events: every one after `floor` up to `head`, and no more than so many. */
export class EventWindow {
  readonly #most: number;
  #events: StoredEvent[] = [];
  #floor = 0;
  #head = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get head(): number {
    return this.#head;
  }

  get newest(): StoredEvent | undefined {
    return this.#events.at(-1);
  }

  /** Whether it has every event after this one. */
  reaches(after: number): boolean {
    return after >= this.#floor;
  }

  /** Begins anew, empty, after event `head`. */
  reset(head: number): void {
    this.#events = [];
    this.#floor = head;
    this.#head = head;
  }

  /** @param events all those from the head to the new one, in order */
  add(events: readonly StoredEvent[], head: number): void {
    this.#events.push(...events);
    this.#head = head;
    if (this.#events.length > 2 * this.#most) this.#shrink();
  }

  /** The first events after `after` that concern somebody; ask `reaches` before. */
  read(after: number, tenantId: string | null, most: number): Part {
    const events: StoredEvent[] = [];
    for (let at = this.#firstAfter(after); at < this.#events.length; at += 1) {
      const event = this.#events[at];
      if (event === undefined || !concerns(event, tenantId)) continue;
      events.push(event);
      if (events.length === most) return { events, upTo: event.id };
    }
    return { events, upTo: Math.max(after, this.#head) };
  }

  /** Seldom, so that it costs next to nothing for each event. */
  #shrink(): void {
    const dropped = this.#events.splice(0, this.#events.length - this.#most);
    this.#floor = dropped.at(-1)?.id ?? this.#floor;
  }

  #firstAfter(id: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.id ?? 0) <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function concerns({ tenantId, otherTenantId }: StoredEvent, somebody: string | null): boolean {
  return somebody === null || tenantId === somebody || otherTenantId === somebody;
}

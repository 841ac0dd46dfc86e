import type { RowGuard } from "./row-guard.js";

interface Log {
  warn(details: object, message: string): void;
}

interface Setback {
  readonly failures: number;
  readonly notBefore: number;
}

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 300_000;

/** Beyond that many the oldest are forgotten, and tried at once. */
const MOST_REMEMBERED = 10_000;

/** Lets rows that failed wait, longer each time, and tells of them. */
export class Setbacks implements RowGuard {
  readonly #rows = new Map<string, Setback>();
  readonly #log: Log;
  readonly #now: () => number;

  /** @param now milliseconds that only grow */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  isDue(id: string): boolean {
    return (this.#rows.get(id)?.notBefore ?? 0) <= this.#now();
  }

  done(id: string): void {
    this.#rows.delete(id);
  }

  failed(id: string, error: unknown): void {
    const delayMs = this.#postpone(id);
    this.#log.warn({ err: error, id, delayMs }, "a sweep passed over what failed; trying again");
  }

  interrupted(id: string): void {
    this.#postpone(id);
  }

  #postpone(id: string): number {
    const failures = (this.#rows.get(id)?.failures ?? 0) + 1;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
    this.#rows.delete(id);
    this.#rows.set(id, { failures, notBefore: this.#now() + delayMs });
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > MOST_REMEMBERED && oldest !== undefined) this.#rows.delete(oldest);
    return delayMs;
  }
}

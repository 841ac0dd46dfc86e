export interface BucketOptions {
  /** How fast a bucket fills; it holds as much as comes in a second. */
  readonly perSecond: number;
  /** How many are remembered at most. Who was not seen for the longest time is forgotten first. */
  readonly most: number;
  /** In milliseconds, never going back. */
  readonly now: () => number;
}

/** What a bucket holds, in the time that it takes to fill. */
const BURST_MS = 1000;
/** Times are sums of fractions. */
const ROUNDING_MS = 1e-6;
/** More than one for each that may come in. */
const FORGOTTEN_AT_ONCE = 2;

/**
 * Token buckets by name. Of each only the moment is kept at which it is full again (GCRA): one that
 * is full by then is as one that was never seen, and forgotten.
 */
export class Buckets {
  readonly #options: BucketOptions;
  readonly #intervalMs: number;
  /** In the order in which they were taken from last. */
  readonly #fullAt = new Map<string, number>();

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#intervalMs = BURST_MS / options.perSecond;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** Milliseconds until there is one in this bucket; 0 when there is. */
  waitMs(name: string): number {
    const wait = this.#nextFullAt(name) - BURST_MS - this.#options.now();
    return wait <= ROUNDING_MS ? 0 : wait;
  }

  /** Takes one, which should be there. */
  take(name: string): void {
    const fullAt = this.#nextFullAt(name);
    this.#fullAt.delete(name);
    this.#fullAt.set(name, fullAt);
    this.#forget();
  }

  #nextFullAt(name: string): number {
    const now = this.#options.now();
    return Math.max(this.#fullAt.get(name) ?? now, now) + this.#intervalMs;
  }

  /** Whoever comes first was not seen for the longest time, and all are full a second after. */
  #forget(): void {
    const now = this.#options.now();
    let forgotten = 0;
    for (const [name, fullAt] of this.#fullAt) {
      const isDue = fullAt <= now && forgotten < FORGOTTEN_AT_ONCE;
      if (!isDue && this.#fullAt.size <= this.#options.most) return;
      this.#fullAt.delete(name);
      forgotten += 1;
    }
  }
}

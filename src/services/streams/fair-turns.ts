/** Lets a few work at a time, in turn by `K`: who has many in line holds nobody else up. */
export class FairTurns<K> {
  readonly #waiting = new Map<K, Array<() => void>>();
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  async run<T>(key: K, work: () => Promise<T>): Promise<T> {
    await this.#turn(key);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  async #turn(key: K): Promise<void> {
    if (this.#free === 0) {
      await new Promise<void>((resolve) => {
        const line = this.#waiting.get(key) ?? [];
        line.push(resolve);
        this.#waiting.set(key, line);
      });
    } else this.#free -= 1;
  }

  /** To the first in line of whoever has waited longest for a turn. */
  #pass(): void {
    for (const [key, [next, ...rest]] of this.#waiting) {
      this.#waiting.delete(key);
      if (rest.length > 0) this.#waiting.set(key, rest);
      next?.();
      return;
    }
    this.#free += 1;
  }
}

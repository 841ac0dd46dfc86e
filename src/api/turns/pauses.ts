/** Somebody with a place who waits for others with one. */
interface Pause<T> {
  readonly others: Set<T>;
  readonly end: () => void;
}

/**
 * Those that let others go first. Nobody waits for who has come later, nor for who is waiting
 * already: so when all wait, the first goes on.
 */
export class Pauses<T> {
  readonly #pauses = new Map<T, Pause<T>>();

  /** Resolves when each of `others` that works at present has gone or begins to wait. */
  until(who: T, others: Iterable<T>): Promise<void> {
    this.forget(who);
    return new Promise((resolve) => {
      const working = [...others].filter((other) => !this.#pauses.has(other));
      if (working.length === 0) return resolve();
      this.#pauses.set(who, { others: new Set(working), end: resolve });
    });
  }

  /** Nobody waits any longer for this one, who has gone or begins to wait as well. */
  forget(who: T): void {
    this.#end(who, this.#pauses.get(who));
    for (const [waiting, pause] of this.#pauses) {
      if (pause.others.delete(who) && pause.others.size === 0) this.#end(waiting, pause);
    }
  }

  #end(who: T, pause: Pause<T> | undefined): void {
    this.#pauses.delete(who);
    pause?.end();
  }
}

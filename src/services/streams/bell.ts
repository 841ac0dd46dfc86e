/** Lets somebody go on at once when something may have changed. */
export class Bell {
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

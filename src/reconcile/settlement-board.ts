import type { Settlements } from "../domain/data-plane.js";

/** Callers that wait for peerings to settle and for the switch to follow in VPCs. */
export class SettlementBoard implements Settlements {
  readonly #waiting = new Map<string, Set<() => void>>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  next(id: string, limitMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#forget(id, done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      const others = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, others.add(done));
    });
  }

  announce(ids: Iterable<string>): void {
    for (const id of ids) {
      for (const done of [...(this.#waiting.get(id) ?? [])]) done();
    }
  }

  announceAll(): void {
    this.announce([...this.#waiting.keys()]);
  }

  /** Lets every waiting caller go, and every later one at once. */
  close(): void {
    this.#closed = true;
    this.announceAll();
  }

  #forget(id: string, done: () => void): void {
    const waiting = this.#waiting.get(id);
    waiting?.delete(done);
    if (waiting?.size === 0) this.#waiting.delete(id);
  }
}

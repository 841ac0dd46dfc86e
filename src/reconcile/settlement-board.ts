import type { Settlements } from "../domain/data-plane.js";

/** Callers that wait for peerings to settle. */
export class SettlementBoard implements Settlements {
  readonly #waiting = new Map<string, Set<() => void>>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  next(peeringId: string, limitMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#forget(peeringId, done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      const others = this.#waiting.get(peeringId) ?? new Set();
      this.#waiting.set(peeringId, others.add(done));
    });
  }

  announce(peeringIds: Iterable<string>): void {
    for (const id of peeringIds) {
      for (const done of [...(this.#waiting.get(id) ?? [])]) done();
    }
  }

  /** Lets every waiting caller go, and every later one at once. */
  close(): void {
    this.#closed = true;
    this.announce([...this.#waiting.keys()]);
  }

  #forget(peeringId: string, done: () => void): void {
    const waiting = this.#waiting.get(peeringId);
    waiting?.delete(done);
    if (waiting?.size === 0) this.#waiting.delete(peeringId);
  }
}

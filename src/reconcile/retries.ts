import type { Scope } from "../domain/intent.js";
import { backoffDelay } from "./backoff.js";
import { DirtySet, type Work } from "./dirty-set.js";

interface Retry {
  failures: number;
  readonly work: DirtySet;
  timer: NodeJS.Timeout | undefined;
}

/** What failed and is to be tried again: one timer for each key, further apart with each failure. */
export class Retries {
  readonly #retries = new Map<string, Retry>();
  readonly #random: () => number;
  readonly #due: (work: Work) => void;
  #stopped = false;

  constructor(random: () => number, due: (work: Work) => void) {
    this.#random = random;
    this.#due = due;
  }

  /** Adds to what is tried again under `key`; returns the delay in milliseconds. */
  later(key: string, scope: Scope, options: { readonly fresh: boolean }): number {
    const retry = this.#retries.get(key) ?? newRetry();
    this.#retries.set(key, retry);
    retry.failures += 1;
    retry.work.mark(scope, options);
    const delayMs = Math.round(backoffDelay(retry.failures, this.#random));
    clearTimeout(retry.timer);
    if (!this.#stopped) retry.timer = setTimeout(() => this.#due(retry.work.take()), delayMs);
    return delayMs;
  }

  keys(): string[] {
    return [...this.#retries.keys()];
  }

  /** What was still to be tried again under `key` has been done. */
  done(key: string): void {
    clearTimeout(this.#retries.get(key)?.timer);
    this.#retries.delete(key);
  }

  /** Things go well again: the next failure starts from a short delay, unless one is pending. */
  calm(key: string): void {
    if (this.#retries.get(key)?.work.isEmpty) this.#retries.delete(key);
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#retries.values()) clearTimeout(timer);
  }
}

function newRetry(): Retry {
  return { failures: 0, work: new DirtySet(), timer: undefined };
}

/** Each of them ends a process that does not listen to it, without a word. */
const CAUGHT = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;

export type CaughtSignal = (typeof CAUGHT)[number];

/**
 * Catches signals from its making on, and keeps them until somebody takes them. SIGUSR1 would not
 * end the process: Node opens a debugger to all users of the host on it.
 */
export class Signals {
  readonly #kept: CaughtSignal[] = [];
  #take: (signal: CaughtSignal) => void = (signal) => void this.#kept.push(signal);

  constructor() {
    for (const signal of CAUGHT) process.on(signal, () => this.#take(signal));
  }

  /** From now on they go to `take`, those that came before first. */
  handTo(take: (signal: CaughtSignal) => void): void {
    this.#take = take;
    for (const signal of this.#kept.splice(0)) take(signal);
  }
}

interface Log {
  error(details: object, message: string): void;
}

/** What has been started and must be stopped, in the opposite order. */
export class Lifetime {
  readonly #steps: Array<{ readonly name: string; readonly stop: () => Promise<void> }> = [];

  add(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /** Stops everything, also what comes after a step that fails. Never rejects. */
  async end(log: Log): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { name } = step;
      await step.stop().catch((error: unknown) => {
        log.error({ err: error, step: name }, "could not be stopped in good order");
      });
    }
  }
}

/** Runs `work` the first time, and gives everybody the same outcome. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

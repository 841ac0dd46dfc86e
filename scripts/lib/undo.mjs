import { note } from "./terminal.mjs";

/**
 * What was made, undone newest first and each once: at the end, on a failure and on a signal alike.
 */
export class Undo {
  #steps = [];
  #running;

  /**
   * Remembers how to undo what is made next. Once undoing has begun it throws instead: a run that
   * was interrupted must not go on making what nobody would remove.
   * @param {() => unknown} step must be safe when what it removes is not there
   */
  add(step) {
    if (this.begun) throw new Error("stopped");
    this.#steps.push(step);
  }

  /** Makes something that takes a while: to undo it waits until it is there, or has failed. */
  async make(create, remove) {
    let making;
    this.add(async () => {
      await Promise.allSettled([making]);
      await remove();
    });
    making = create();
    return making;
  }

  /**
   * Undoes everything; a step that fails is reported and does not keep the others from running.
   * @returns {Promise<number>} how many steps failed
   */
  run() {
    this.#running ??= this.#undoAll();
    return this.#running;
  }

  /** Whether undoing has begun: failures from then on are ours and not worth a report. */
  get begun() {
    return this.#running !== undefined;
  }

  async #undoAll() {
    // Lets `begun` be true before the first step runs.
    await undefined;
    let failures = 0;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures += 1;
        note(`while cleaning up: ${error.message}`);
      }
    }
    return failures;
  }
}

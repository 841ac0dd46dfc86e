import { databaseTrouble } from "./database/errors.js";

/** A lock, or a row that cannot be read, may be in the way of one row alone. */
const OF_ONE_ROW: ReadonlySet<string | undefined> = new Set(["locked", "damaged"]);

/** Each may have cost the wait for a lock. */
const MOST_TROUBLED_ROWS = 3;

/** Tells, while row after row is dealt with, whether the next one would fare no better. */
export class Patience {
  #troubled = 0;

  /** Whether what failed so does so for every row. */
  isInVain(error: unknown): boolean {
    const trouble = databaseTrouble(error);
    return trouble !== undefined && !OF_ONE_ROW.has(trouble);
  }

  /** To be asked once for each row that has failed alone: whether to stop there. */
  isOver(error: unknown): boolean {
    if (databaseTrouble(error) === undefined) return false;
    this.#troubled += 1;
    return this.isInVain(error) || this.#troubled > MOST_TROUBLED_ROWS;
  }
}

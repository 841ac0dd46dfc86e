import { Patience } from "../store/patience.js";

/** Decides what becomes of rows that cannot be dealt with. */
export interface RowGuard {
  /** Whether it is time to try this row, again or for the first time. */
  isDue(id: string): boolean;
  done(id: string): void;
  /** Throws when nothing else is to be tried then. */
  failed(id: string, error: unknown): void;
  /** The row was under way when the database went away, or itself made it seem so. */
  interrupted(id: string): void;
}

/** For callers that want to know: the first failure ends it. */
export const strict: RowGuard = {
  isDue: () => true,
  done: () => {},
  failed: (_id, error) => {
    throw error;
  },
  interrupted: () => {},
};

/** Deals with row after row; one that fails does not keep those behind it from their turn. */
export async function eachRow<R extends { readonly id: string }>(
  rows: readonly R[],
  guard: RowGuard,
  work: (row: R) => Promise<void>,
): Promise<void> {
  const patience = new Patience();
  for (const row of rows) {
    if (!guard.isDue(row.id)) continue;
    try {
      await work(row);
    } catch (error) {
      if (patience.isOver(error)) {
        guard.interrupted(row.id);
        throw error;
      }
      guard.failed(row.id, error);
      continue;
    }
    guard.done(row.id);
  }
}

/** A call's place among those that may work at the same time; the others wait in line for one. */
export interface Turn {
  /** Lets others have the place for as long as `wait` takes; `wait` is called at once. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
}

/**
 * Waits for something other than the database on behalf of a call: for the switch, for another
 * call, for time to pass. Its place is free for others meanwhile.
 */
export function aside<T>(
  { turn }: { readonly turn?: Turn | undefined },
  wait: () => Promise<T>,
): Promise<T> {
  return turn === undefined ? wait() : turn.aside(wait);
}

/** In the middle of something long: who waits for the place has it first, and who calls is heard. */
export function letOthersGoFirst(call: { readonly turn?: Turn | undefined }): Promise<void> {
  return aside(call, () => new Promise((resolve) => setImmediate(resolve)));
}

/** A call's place among those that may work at the same time; the others wait in line for one. */
export interface Turn {
  /** Lets others have the place for as long as `wait` takes; `wait` is called at once. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
  /** The same, and waits for a place at the switch as well before `ask` is called. */
  atSwitch<T>(ask: () => Promise<T>): Promise<T>;
  /** Lets all others have their turn that wait for one, or are in the middle of theirs. */
  pause(): Promise<void>;
}

/**
 * Waits for something other than the database on behalf of a call: for a change to be confirmed,
 * for another call, for time to pass. Its place is free for others meanwhile.
 */
export function aside<T>(
  { turn }: { readonly turn?: Turn | undefined },
  wait: () => Promise<T>,
): Promise<T> {
  return turn === undefined ? wait() : turn.aside(wait);
}

/** Asks the switch something on behalf of a call, when it is the turn of that call to ask. */
export function askSwitch<T>(
  { turn }: { readonly turn?: Turn | undefined },
  ask: () => Promise<T>,
): Promise<T> {
  return turn === undefined ? ask() : turn.atSwitch(ask);
}

/** In the middle of something long: who waits for the place has it first, and who calls is heard. */
export function letOthersGoFirst({ turn }: { readonly turn?: Turn | undefined }): Promise<void> {
  return turn === undefined ? heardAll() : turn.pause();
}

/** What has arrived meanwhile is taken first. */
export function heardAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

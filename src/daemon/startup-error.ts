/** Why the daemon cannot start, worded for whoever starts it. */
export class StartupError extends Error {
  override readonly name: string = "StartupError";
}

/**
 * What is there does not fit together: starting again will not help, and nothing was written.
 * @param why what was found
 * @param remedy what to do, a sentence each
 */
export class RefusedError extends StartupError {
  override readonly name = "RefusedError";

  constructor(
    readonly why: string,
    remedy: readonly string[],
    cause?: unknown,
  ) {
    const steps = remedy.map((step) => `\n  - ${step}`).join("");
    super(`refusing to start: ${why}; nothing was changed.${steps}`, { cause });
  }
}

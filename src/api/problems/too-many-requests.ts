export class TooManyRequests extends Error {
  override readonly name = "TooManyRequests";

  /** @param retryAfterSeconds whole seconds, at least 1 */
  constructor(
    readonly retryAfterSeconds: number,
    why = "More requests than are allowed",
  ) {
    super(`${why}; try again in ${retryAfterSeconds} s.`);
  }
}

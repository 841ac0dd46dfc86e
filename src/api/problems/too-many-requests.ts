export class TooManyRequests extends Error {
  override readonly name = "TooManyRequests";

  /** @param retryAfterSeconds whole seconds, at least 1 */
  constructor(readonly retryAfterSeconds: number) {
    super(`More requests than are allowed; try again in ${retryAfterSeconds} s.`);
  }
}

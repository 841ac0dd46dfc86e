/** Why the daemon cannot start, worded for whoever starts it. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

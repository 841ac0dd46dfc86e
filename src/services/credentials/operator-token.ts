import { timingSafeEqual } from "node:crypto";
import { digestOf } from "./known.js";

/** The platform operator's bearer token, of which only a digest is remembered. */
export class OperatorToken {
  #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** Compares in time that depends on neither text. */
  isHeldBy(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.#digest);
  }

  /** The one before is refused from the next request on, and by streams within a second. */
  replace(token: string): void {
    this.#digest = digestOf(token);
  }
}

/** A clock that stands still until it is moved. */
export class TestClock {
  #now: number;

  constructor(now = "2026-01-01T00:00:00.000Z") {
    this.#now = Date.parse(now);
  }

  /** For whoever asks for the time. */
  readonly read = (): Date => new Date(this.#now);

  advance(ms: number): void {
    this.#now += ms;
  }
}

/** Reads how something stands, as a short text to compare: "absent", or what was written. */
export type Look = () => Promise<string>;

interface Entry {
  readonly look: Look;
  admissible: ReadonlySet<string>;
}

export const ABSENT = "absent";

/** What the store must show: every acknowledged write, and nothing that was refused. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** How often an acknowledged write was looked at later. */
  verified = 0;

  /** Something acknowledged that was not there before. */
  add(key: string, look: Look, ...states: string[]): void {
    this.#entries.set(key, { look, admissible: new Set(states) });
  }

  /** A change of it was acknowledged. */
  settle(key: string, ...states: string[]): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Error(`${key} was never noted`);
    entry.admissible = new Set(states);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Admits what time alone may make of things: `becomes` lists it for a state. */
  widen(prefix: string, becomes: Readonly<Record<string, readonly string[]>>): void {
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(prefix)) continue;
      const more = [...entry.admissible].flatMap((state) => becomes[state] ?? []);
      entry.admissible = new Set([...entry.admissible, ...more]);
    }
  }

  /**
   * Looks at everything; to be called while nothing is being changed. What is absent, as it should
   * be, is not looked at again.
   * @returns a line for each acknowledged write that is lost
   */
  async verify(): Promise<string[]> {
    const lost: string[] = [];
    for (const [key, { look, admissible }] of [...this.#entries]) {
      const actual = await look();
      this.verified += 1;
      if (!admissible.has(actual)) {
        lost.push(`${key}: is ${actual}, may be ${[...admissible].join(" or ")}`);
      }
      if (actual === ABSENT) this.#entries.delete(key);
    }
    return lost;
  }
}

const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Cuts a byte stream into JSON texts that follow each other without a delimiter, as RFC 7047
 * section 4 sends them. Works on bytes: in UTF-8 no part of a longer character looks like ASCII.
 */
export class JsonScanner {
  #parts: Buffer[] = [];
  #size = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  readonly #limit: number;

  /** @param limit bytes that one text may have */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes the next bytes and returns the texts that they complete.
   * @throws SyntaxError when a text is no JSON, RangeError when it exceeds the limit
   */
  push(chunk: Buffer): unknown[] {
    const values: unknown[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (!this.#ends(chunk[at] as number)) continue;
      this.#keep(chunk.subarray(start, at + 1));
      values.push(this.#take());
      start = at + 1;
    }
    this.#keep(chunk.subarray(start));
    return values;
  }

  /** Whether this byte ends a text. */
  #ends(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (OPENING.has(byte)) this.#depth += 1;
    else if (CLOSING.has(byte)) {
      this.#depth -= 1;
      return this.#depth <= 0;
    }
    return false;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    if (this.#size > this.#limit) throw new RangeError(`a message exceeds ${this.#limit} bytes`);
    this.#parts.push(part);
  }

  #take(): unknown {
    const text = Buffer.concat(this.#parts).toString("utf8");
    this.#parts = [];
    this.#size = 0;
    this.#depth = 0;
    return JSON.parse(text);
  }
}

/** What `JSON.parse` would pass over without a word. */
export interface JsonFault {
  /** Names and indexes on the way to it, from the outermost. */
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

/** Deeper than anything that is asked for here. */
const MOST_LEVELS = 32;

const NUMBER = /-?[0-9][0-9.eE+-]*/y;

interface Level {
  /** Names so far; undefined in an array. */
  readonly names: Set<string> | undefined;
  /** Where in it one is. */
  place: string | number;
}

/**
 * Looks for what would not be kept as it was sent: names given more than once, names that objects
 * here cannot have, numbers that are rounded, and levels without end.
 * @param text JSON that `JSON.parse` takes
 */
export function findJsonFault(text: string): JsonFault | undefined {
  return new Walk(text).toFault();
}

class Walk {
  readonly #text: string;
  readonly #levels: Level[] = [];
  #at = 0;
  #isNameNext = false;

  constructor(text: string) {
    this.#text = text;
  }

  toFault(): JsonFault | undefined {
    while (this.#at < this.#text.length) {
      const detail = this.#step();
      if (detail === undefined) continue;
      return { path: this.#levels.map(({ place }) => place), detail };
    }
    return undefined;
  }

  #step(): string | undefined {
    const char = this.#text.charAt(this.#at);
    if (char === '"') return this.#string();
    if (char === "-" || (char >= "0" && char <= "9")) return this.#number();
    this.#at += 1;
    if (char === "{" || char === "[") return this.#enter(char === "{");
    if (char === "}" || char === "]") this.#levels.pop();
    else if (char === ",") this.#goOn();
    return undefined;
  }

  #enter(isObject: boolean): string | undefined {
    if (this.#levels.length === MOST_LEVELS) return `has more than ${MOST_LEVELS} levels`;
    const level = isObject
      ? { names: new Set<string>(), place: "" }
      : { names: undefined, place: 0 };
    this.#levels.push(level);
    this.#isNameNext = isObject;
    return undefined;
  }

  #goOn(): void {
    const level = this.#levels.at(-1);
    this.#isNameNext = level?.names !== undefined;
    if (typeof level?.place === "number") level.place += 1;
  }

  #string(): string | undefined {
    const start = this.#at;
    this.#at = endOfString(this.#text, start);
    const isName = this.#isNameNext;
    this.#isNameNext = false;
    return isName ? this.#name(this.#text.slice(start, this.#at)) : undefined;
  }

  #name(token: string): string | undefined {
    const name: string = token.includes("\\") ? JSON.parse(token) : token.slice(1, -1);
    const level = this.#levels.at(-1);
    if (level?.names === undefined) return undefined;
    level.place = name;
    if (name === "__proto__") return "nothing can have this name here";
    if (level.names.has(name)) return "is given more than once";
    level.names.add(name);
    return undefined;
  }

  #number(): string | undefined {
    NUMBER.lastIndex = this.#at;
    const [token = "0"] = NUMBER.exec(this.#text) ?? [];
    this.#at += token.length;
    return isExact(token) ? undefined : "is a number that cannot be kept exactly";
  }
}

/** The index after the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** So many digits are always kept. */
const KEPT_DIGITS = 15;

function isExact(token: string): boolean {
  if (token.length <= KEPT_DIGITS && !/[eE]/.test(token)) return true;
  const value = Number(token);
  // The shortest text that means this number means the same, or the number is another one.
  return Number.isFinite(value) && decimal(token) === decimal(String(value));
}

const DECIMAL = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/** One spelling for each number, whatever its sign: its digits, and where they begin. */
function decimal(token: string): string {
  const [, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(token) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return "0";
  return `${digits.replace(/0+$/, "")}e${Number(exponent) - fraction.length + digits.length}`;
}

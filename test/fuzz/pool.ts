import type { Random } from "../faults/random.js";

const ID = /\b(?:[a-z]+-[0-9a-f]{17}|\d{12})\b/g;

/** Never shown to a tenant that they are not of, whoever is peered with whom. */
const PRIVATE = /^(subnet|eni|rtb|sgr|sg)-/;

export const idsIn = (text: string): string[] => [...new Set(text.match(ID) ?? [])];

/** Who has seen what: ids are taken from here for the next calls. */
export class Pool {
  readonly #owners = new Map<string, string>();
  readonly #told = new Map<string, Set<string>>();
  readonly #all: string[] = [];

  /** What a caller sends is no secret to its tenant. */
  sent(tenant: string, text: string): void {
    for (const id of idsIn(text)) this.#toldTo(tenant).add(id);
  }

  /** Those that a success tells of: refusals give examples, and rehearsals what will not be. */
  learn(tenant: string, text: string): void {
    for (const id of idsIn(text)) {
      if (this.#owners.has(id)) continue;
      // Whose a private thing is that the operator was shown, its owner's calls tell.
      if (tenant !== "operator" || !PRIVATE.test(id)) this.#add(id, tenant);
    }
  }

  /** @returns ids in the answer that belong to another tenant and were not known here */
  strangers(tenant: string, text: string): string[] {
    return idsIn(text).filter((id) => {
      const owner = this.#owners.get(id) ?? tenant;
      return owner !== tenant && PRIVATE.test(id) && !this.#toldTo(tenant).has(id);
    });
  }

  /** One that fits the pattern, more often of the caller's own and of the newest. */
  pick(random: Random, tenant: string, pattern: RegExp): string | undefined {
    const fitting = this.#all.filter((id) => pattern.test(id));
    const own = fitting.filter((id) => this.#owners.get(id) === tenant);
    const from = own.length > 0 && random.chance(0.85) ? own : fitting;
    if (from.length === 0) return undefined;
    return random.chance(0.5) ? random.pick(from.slice(-4)) : random.pick(from);
  }

  #add(id: string, tenant: string): void {
    this.#owners.set(id, tenant);
    this.#all.push(id);
  }

  #toldTo(tenant: string): Set<string> {
    const told = this.#told.get(tenant) ?? new Set();
    this.#told.set(tenant, told);
    return told;
  }
}

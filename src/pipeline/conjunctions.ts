import { type Action, conjunction } from "../openflow/action.js";
import type { Match } from "../openflow/flow.js";
import { matchKey } from "../openflow/match.js";

/** The two conditions of each conjunction here: who is at the other end, and what is asked for. */
export const CLAUSES = { peer: 1, traffic: 2 } as const;

export type Clause = keyof typeof CLAUSES;

const COUNT = Object.keys(CLAUSES).length;

interface Condition {
  readonly match: Match;
  readonly fulfils: Map<string, readonly [id: number, clause: number]>;
}

/** Collects the conditions of conjunctions: one that several of them have in common is one flow. */
export class Conjunctions {
  readonly #conditions = new Map<string, Condition>();
  readonly #ids = new Set<number>();

  add(match: Match, id: number, clause: Clause): void {
    this.#ids.add(id);
    const key = matchKey(match);
    const condition = this.#conditions.get(key) ?? { match, fulfils: new Map() };
    this.#conditions.set(key, condition);
    condition.fulfils.set(`${id}/${clause}`, [id, CLAUSES[clause]]);
  }

  ids(): number[] {
    return [...this.#ids];
  }

  /** Actions stand in the order of ids, whatever order the conditions came in. */
  conditions(): { match: Match; actions: Action[] }[] {
    return [...this.#conditions.values()].map(({ match, fulfils }) => {
      const clauses = [...fulfils.values()].sort(([a, k], [b, l]) => a - b || k - l);
      return { match, actions: clauses.map(([id, clause]) => conjunction(id, clause, COUNT)) };
    });
  }
}

/** What a member of groups fulfils. */
export function memberActions(groups: readonly number[]): Action[] {
  const ordered = [...groups].sort((a, b) => a - b);
  return ordered.map((group) => conjunction(group, CLAUSES.peer, COUNT));
}

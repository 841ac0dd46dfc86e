import type { Flow } from "../../../../src/openflow/flow.js";
import { type Fields, matches } from "./fields.js";

const CONJUNCTION = /conjunction\((\d+),(\d+)\/(\d+)\)/g;

/** The flows of one bridge by their table. */
export type Tables = ReadonlyMap<number, readonly Flow[]>;

export function tablesOf(flows: readonly Flow[]): Tables {
  const tables = new Map<number, Flow[]>();
  for (const flow of flows) {
    const known = tables.get(flow.table);
    if (known === undefined) tables.set(flow.table, [flow]);
    else known.push(flow);
  }
  return tables;
}

/**
 * The flow of a table that the switch takes: of the highest priority that matches. Flows of
 * conjunctions do nothing themselves; once each condition of one has been met, the packet is looked
 * up again with its `conj_id` (ovs-actions(7), `conjunction`).
 * @throws Error when flows of one priority match and act differently: the switch may take either
 */
export function bestMatch(flows: readonly Flow[] = [], packet: Fields): Flow | undefined {
  const matching = flows.filter((flow) => matches(flow.match, packet));
  const [soft, hard] = [matching.filter(isCondition), matching.filter((f) => !isCondition(f))];
  const plain = theHighest(hard);
  const levels = [...new Set(soft.map(({ priority }) => priority))].sort((a, b) => b - a);
  for (const level of levels) {
    if (plain !== undefined && plain.priority >= level) break;
    const met = fulfilled(soft.filter(({ priority }) => priority === level));
    const acting = met.flatMap((id) => {
      const again = flows.filter((f) => !isCondition(f));
      return theHighest(again.filter((f) => matches(f.match, { ...packet, conj_id: id }))) ?? [];
    });
    if (acting.length > 0) return theHighest(acting);
  }
  return plain;
}

function isCondition({ actions }: Flow): boolean {
  return actions.startsWith("conjunction(");
}

function theHighest(flows: readonly Flow[]): Flow | undefined {
  const highest = Math.max(...flows.map(({ priority }) => priority));
  const best = flows.filter(({ priority }) => priority === highest);
  if (new Set(best.map(({ actions }) => actions)).size > 1) {
    throw new Error(`ambiguous: ${JSON.stringify(best.map((f) => f.match))}`);
  }
  return best[0];
}

/** Ids of the conjunctions all of whose conditions are among those of these flows. */
function fulfilled(flows: readonly Flow[]): string[] {
  const met = new Map<string, { readonly clauses: Set<string>; readonly of: number }>();
  for (const [, id = "", clause = "", of] of flows.flatMap(({ actions }) => [
    ...actions.matchAll(CONJUNCTION),
  ])) {
    const found = met.get(id) ?? { clauses: new Set(), of: Number(of) };
    met.set(id, found);
    found.clauses.add(clause);
  }
  return [...met].flatMap(([id, { clauses, of }]) => (clauses.size === of ? [id] : []));
}

import { type Action, formatActions } from "../openflow/action.js";
import type { Flow, Match } from "../openflow/flow.js";
import { flowKey } from "../openflow/text.js";
import type { Table } from "./table.js";

export interface FlowSpec {
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  /** None drops. */
  readonly actions: readonly Action[];
}

/** A pipeline that contradicts itself: a mistake in this program, never in what tenants asked. */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
}

/**
 * A flow of `table`, held against what the table declares.
 * @param tables the tables of the same bridge, to find the next one by number
 * @throws PipelineError naming the table and what is illegal in it
 */
export function tableFlow(
  tables: Readonly<Record<string, Table>>,
  table: Table,
  spec: FlowSpec,
): Flow {
  const field = Object.keys(spec.match).find((name) => !table.matches.includes(name));
  if (field !== undefined) throw illegal(table, `match on ${field}`);
  for (const action of spec.actions) assertLegalAction(tables, table, action);
  const { priority, cookie, match } = spec;
  return {
    table: table.number,
    priority,
    cookie,
    match,
    actions: formatActions(spec.actions),
  };
}

function assertLegalAction(
  tables: Readonly<Record<string, Table>>,
  table: Table,
  action: Action,
): void {
  if (!table.actions.includes(action.name)) throw illegal(table, `action ${action.name}`);
  const nameOf = (number: number) =>
    Object.values(tables).find((candidate) => candidate.number === number)?.name ?? String(number);
  const { next, calls } = action;
  if (next !== undefined && !table.next.includes(nameOf(next))) {
    throw illegal(table, `next table ${nameOf(next)}`);
  }
  if (calls !== undefined && !table.calls.includes(nameOf(calls))) {
    throw illegal(table, `look into table ${nameOf(calls)}`);
  }
}

function illegal(table: Table, what: string): PipelineError {
  return new PipelineError(`table ${table.name} declares no ${what}`);
}

/**
 * The flows themselves, when no two of them have the same identity. The switch would keep the last
 * one without a word.
 * @throws PipelineError naming the identity
 */
export function distinctFlows(flows: Flow[]): Flow[] {
  const seen = new Set<string>();
  for (const flow of flows) {
    const key = flowKey(flow);
    if (seen.has(key)) throw new PipelineError(`two flows for ${key}`);
    seen.add(key);
  }
  return flows;
}

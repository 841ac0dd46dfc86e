import type { ActionName } from "../openflow/action.js";
import { tableNumber } from "./layout.js";

/** One table: its number, and what flows in it may do. */
export interface Table {
  readonly name: string;
  readonly number: number;
  readonly purpose: string;
  /** Legal match fields, protocol words included. */
  readonly matches: readonly string[];
  /** Legal actions; dropping is always legal. */
  readonly actions: readonly ActionName[];
  /** Names of the tables that its flows may continue in. */
  readonly next: readonly string[];
  /** Names of the tables that its flows may look into and come back from. */
  readonly calls: readonly string[];
}

export interface TableDeclaration<Name extends string> {
  readonly purpose: string;
  readonly matches: readonly string[];
  readonly actions: readonly ActionName[];
  readonly next: readonly NoInfer<Name>[];
  readonly calls?: readonly NoInfer<Name>[];
}

/**
 * Numbers tables by their order of declaration, within the layout.
 * @throws Error when a table continues in an earlier one or looks into one: nothing goes round
 */
export function declareTables<Name extends string>(
  declarations: Readonly<Record<Name, TableDeclaration<Name>>>,
): Readonly<Record<Name, Table>> {
  const names = Object.keys(declarations) as Name[];
  const tables = {} as Record<Name, Table>;
  for (const [place, name] of names.entries()) {
    const { calls = [], ...declaration } = declarations[name];
    const backward = [...declaration.next, ...calls].find((to) => names.indexOf(to) <= place);
    if (backward !== undefined) throw new Error(`table ${name} goes back to ${backward}`);
    tables[name] = { name, number: tableNumber(place), ...declaration, calls };
  }
  return tables;
}

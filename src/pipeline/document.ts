import { COOKIE_CATEGORIES, COOKIE_FIELDS } from "../openflow/cookie.js";
import type { Flow } from "../openflow/flow.js";
import { formatFlow } from "../openflow/text.js";
import { DROP_REASONS } from "./drops.js";
import { exampleFlows } from "./example.js";
import { LAYOUT } from "./layout.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS } from "./registers.js";
import type { Table } from "./table.js";
import { EXCHANGE_TABLES, VPC_TABLES } from "./tables.js";

/** `{{tables}}`, or `{{example classify}}` with a table's name. */
const MARKER = /\{\{(\w+)(?: (\w+))?\}\}/g;

const ALL_TABLES: readonly Table[] = [
  ...Object.values(VPC_TABLES),
  ...Object.values(EXCHANGE_TABLES),
];

const LISTS: ReadonlyMap<string, () => string> = new Map([
  ["tables", () => tableList(Object.values(VPC_TABLES))],
  ["exchangeTables", () => tableList(Object.values(EXCHANGE_TABLES))],
  ["registers", registerList],
  ["priorities", priorityList],
  ["dropReasons", dropReasonList],
  ["cookieFields", cookieFieldList],
  ["cookieCategories", cookieCategoryList],
]);

const SECTIONS: ReadonlyMap<string, (table: Table) => string> = new Map([
  ["contract", contractOf],
  ["example", examplesOf],
]);

/**
 * docs/pipeline.md: the hand-written text with its markers replaced by what the code declares.
 * @throws Error for an unknown marker, and for a table without a section of its own
 */
export function pipelineDocument(prose: string): string {
  const missing = ALL_TABLES.find(({ name }) => !prose.includes(`{{contract ${name}}}`));
  if (missing !== undefined) throw new Error(`table ${missing.name} has no section`);
  return prose.replaceAll(MARKER, (marker, kind: string, name: string | undefined) => {
    const text = name === undefined ? LISTS.get(kind)?.() : sectionPart(kind, name);
    if (text === undefined) throw new Error(`unknown marker ${marker}`);
    return text;
  });
}

function sectionPart(kind: string, name: string): string | undefined {
  const table = ALL_TABLES.find((candidate) => candidate.name === name);
  return table === undefined ? undefined : SECTIONS.get(kind)?.(table);
}

function tableList(tables: readonly Table[]): string {
  const rows = tables.map(({ number, name, purpose, next }) => [
    String(number),
    `[${name}](#${name.toLowerCase()})`,
    purpose,
    list(next),
  ]);
  return markdownTable(["table", "name", "what it does", "continues in"], rows);
}

function registerList(): string {
  const rows = Object.entries(REGISTERS).map(([name, { field, holds }]) => [
    code(field),
    name,
    holds,
  ]);
  return markdownTable(["register", "name", "holds"], rows);
}

function dropReasonList(): string {
  const rows = Object.entries(DROP_REASONS).map(([name, { value, meaning }]) => [
    String(value),
    name,
    meaning,
  ]);
  return markdownTable(["reason", "name", "means"], rows);
}

function priorityList(): string {
  const rows = Object.entries(PRIORITIES).map(([name, { value, use }]) => [
    String(value),
    name,
    use,
  ]);
  return markdownTable(["priority", "name", "use"], rows);
}

function cookieFieldList(): string {
  let low = Object.values(COOKIE_FIELDS).reduce((sum, bits) => sum + bits, 0);
  const rows = Object.entries(COOKIE_FIELDS).map(([name, bits]) => {
    low -= bits;
    return [`${low + bits - 1}–${low}`, name, name === "layout" ? String(LAYOUT) : ""];
  });
  return markdownTable(["bits", "field", "at present"], rows);
}

function cookieCategoryList(): string {
  const rows = Object.entries(COOKIE_CATEGORIES).map(([name, value]) => [String(value), name]);
  return markdownTable(["category", "name"], rows);
}

function contractOf({ number, purpose, matches, actions, next, calls }: Table): string {
  return [
    `Table ${number}: ${purpose}.`,
    "",
    `- may match: ${list(matches.map(code))}`,
    `- may do: ${list([...actions.map(code), "drop"])}`,
    `- continues in: ${list(next)}`,
    ...(calls.length === 0 ? [] : [`- looks into: ${list(calls)}`]),
  ].join("\n");
}

/** Every flow of the example in one table, table miss last, as the switch orders them. */
function examplesOf(table: Table): string {
  const { vpc, exchange } = exampleFlows();
  const bridge = table.name in EXCHANGE_TABLES ? exchange : vpc;
  const flows = bridge
    .filter((flow) => flow.table === table.number)
    .toSorted((a, b) => b.priority - a.priority)
    .map(folded);
  return ["```", ...flows, "```"].join("\n");
}

/** A flow on two lines: what it matches, and what it does. */
function folded(flow: Flow): string {
  return formatFlow(flow).replace(" actions=", "\n    actions=");
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "nothing" : items.join(", ");
}

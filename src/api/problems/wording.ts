import type { z } from "zod";

/** How zod is to speak of what it finds: to people who know JSON, and not zod. */
export const WORDING: z.core.ParseContext<z.core.$ZodIssue> = {
  error: (issue) => words(issue),
  // Else what is missing could not be told from what is wrong.
  reportInput: true,
};

/** Said of everything that is not there, whatever else a schema says of it. */
export const MISSING = "is missing";

/** Said of a parameter of which only one makes sense. */
export const REPEATED = "is given more than once";

/** Custom findings are of something that is there, such as of how its parts go together. */
export function isMissing(issue: z.core.$ZodIssue): boolean {
  return issue.code !== "custom" && "input" in issue && issue.input === undefined;
}

function words(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${KINDS[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case "invalid_value":
      return `expected ${listOf(issue.values)}`;
    case "too_small":
      return `expected at least ${measured(issue.minimum, issue.origin)}`;
    case "too_big":
      return `expected at most ${measured(issue.maximum, issue.origin)}`;
    default:
      return "does not have the form that is asked for";
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

function kindOf(input: unknown): string {
  if (input === null) return "null";
  if (Array.isArray(input)) return "an array";
  if (typeof input === "boolean") return String(input);
  if (typeof input === "number" && !Number.isInteger(input)) return "a fraction";
  return KINDS[typeof input] ?? typeof input;
}

function listOf(values: readonly unknown[]): string {
  const [last = "", ...others] = values.map((value) => JSON.stringify(value)).reverse();
  return others.length === 0 ? last : `${others.reverse().join(", ")} or ${last}`;
}

/** What texts and lists are counted in; numbers are as they are. */
const UNITS: Readonly<Record<string, string>> = { string: "character", array: "item" };

function measured(count: number | bigint, origin: string): string {
  const unit = UNITS[origin];
  if (unit === undefined) return String(count);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

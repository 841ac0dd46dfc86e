import fc from "fast-check";
import type { Random } from "../faults/random.js";
import type { Schema } from "./document.js";

/** Where values come from that a schema alone does not give. */
export interface Source {
  readonly random: Random;
  /** An id that exists and fits. */
  readonly known: (pattern: RegExp) => string | undefined;
  readonly resolve: (reference: string) => Schema;
}

const BLOCKS = [
  "10.0.0.0/16",
  "10.1.0.0/16",
  "10.0.1.0/24",
  "10.1.1.0/24",
  "10.2.0.0/20",
  "0.0.0.0/0",
];
const ADDRESSES = ["10.0.1.9", "10.1.1.9", "10.0.1.4", "10.0.1.0"];
/** What texts mean that the schema leaves free: without it few calls would get past the first check. */
const MEANINGS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/cidr/i, BLOCKS],
  [/block/i, BLOCKS],
  [/(ip|address)/i, ADDRESSES],
  [/^(from|to)$/, ADDRESSES],
];

/** @returns a value that the schema allows; `name` is the field's or parameter's */
export function validValue(source: Source, schema: Schema, name = ""): unknown {
  const { random } = source;
  if (schema.$ref !== undefined) return validValue(source, source.resolve(schema.$ref), name);
  if (schema.enum !== undefined) return random.pick(schema.enum);
  if (schema.anyOf !== undefined) return validValue(source, random.pick(schema.anyOf), name);
  switch (schema.type) {
    case "object":
      return validObject(source, schema);
    case "array":
      return validArray(source, schema, name);
    case "integer":
    case "number":
      return validNumber(random, schema);
    case "boolean":
      return random.chance(0.5);
    case "null":
      return null;
    default:
      return validText(source, schema, name);
  }
}

function validObject(
  source: Source,
  { properties = {}, required = [], additionalProperties }: Schema,
) {
  const fields = Object.entries(properties).filter(
    ([name]) => required.includes(name) || source.random.chance(0.4),
  );
  const value = Object.fromEntries(
    fields.map(([name, schema]) => [name, validValue(source, schema, name)]),
  );
  if (typeof additionalProperties === "object" && source.random.chance(0.6)) {
    value["key"] = validValue(source, additionalProperties);
  }
  return value;
}

function validArray(
  source: Source,
  { items = {}, minItems = 0, maxItems = 3 }: Schema,
  name: string,
) {
  const length = source.random.between(minItems, Math.max(minItems, Math.min(maxItems, 3)));
  return Array.from({ length }, () => validValue(source, items, name));
}

function validNumber(random: Random, { minimum = 0, maximum = 100_000 }: Schema): number {
  return random.chance(0.4) ? random.pick([minimum, maximum]) : random.between(minimum, maximum);
}

function validText(source: Source, schema: Schema, name: string): string {
  const { random } = source;
  if (schema.pattern !== undefined) {
    const pattern = new RegExp(schema.pattern);
    const known = random.chance(0.9) ? source.known(pattern) : undefined;
    return known ?? matching(random, pattern);
  }
  const meant = MEANINGS.find(([field]) => field.test(name))?.[1];
  if (meant !== undefined && random.chance(0.9)) return random.pick(meant);
  const { minLength = 0, maxLength = 20 } = schema;
  return "náme☃".repeat(52).slice(0, random.between(minLength, Math.min(maxLength, 12)));
}

function matching(random: Random, pattern: RegExp): string {
  const seed = random.between(0, 2 ** 31 - 1);
  const [text = ""] = fc.sample(fc.stringMatching(pattern), { seed, numRuns: 1 });
  return text;
}

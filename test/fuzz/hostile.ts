import type { Random } from "../faults/random.js";

/** What nobody expects in a field. */
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  1e308,
  "",
  " ",
  "\u0000",
  "\ud800",
  "a\u202eb",
  "'; DROP TABLE vpc; --",
  "../../etc/passwd",
  "{{7*7}}",
  "😀".repeat(300),
  "x".repeat(70_000),
  "0.0.0.0/0",
  "10.0.0.0/33",
  "::/0",
  [],
  [[]],
  {},
  { $ref: "#" },
  Array.from({ length: 2000 }, () => "x"),
];

const KEYS = ["__proto__", "constructor", "toString", "extra", "", "a b", "\u0000", "ID"];

/** Bodies that are no JSON, or more of it than anybody needs. */
export const RAW_BODIES: readonly string[] = [
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "{} {}",
  '{"name":"a","name":"b"}',
  '{"__proto__":{"roles":["operator"]}}',
  "[".repeat(20_000),
  `{"a":${"[".repeat(2000)}${"]".repeat(2000)}}`,
  `{"name":"${"x".repeat(2 ** 21)}"}`,
];

export const hostileValue = (random: Random): unknown => random.pick(VALUES);

/** One thing wrong, somewhere: a field that is missing, strange, or more than there should be. */
export function spoilt(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.6)) {
    const at = random.between(0, value.length - 1);
    return value.map((item, index) => (index === at ? spoilt(random, item) : item));
  }
  if (typeof value === "object" && value !== null && random.chance(0.9)) {
    return spoiltObject(random, Object.entries(value));
  }
  return hostileValue(random);
}

function spoiltObject(random: Random, fields: [string, unknown][]): unknown {
  if (fields.length === 0 || random.chance(0.2)) {
    return fromFields([...fields, [random.pick(KEYS), hostileValue(random)]]);
  }
  const [chosen] = random.pick(fields);
  if (random.chance(0.25)) return fromFields(fields.filter(([name]) => name !== chosen));
  return fromFields(
    fields.map(([name, value]) => [name, name === chosen ? spoilt(random, value) : value]),
  );
}

/** Also with `__proto__` as a field of its own. */
function fromFields(fields: readonly (readonly [string, unknown])[]): unknown {
  const object: Record<string, unknown> = Object.create(null);
  for (const [name, value] of fields) object[name] = value;
  return object;
}

import { parseArgs } from "node:util";

export const USAGE = `npm run bench:scale -- [OPTION...]        (build first)
  --runs N         peerings timed in each case (50)
  --vpcs N         VPCs of the large database (1000)
  --peerings N     its peerings (10000)
  --interfaces N   its network interfaces (20000)
  --engine E       embedded, postgres or both (both where PostgreSQL is installed)
  --switch N       instead: start over a real switch with N bridges (root)
  --mesh N         instead: a full mesh of N VPCs on a real switch (root)
  --clients N      that ask for the mesh at once (16)
  --profile DIR    has every daemon leave CPU profiles there
  --json FILE      writes the figures down`;

const NUMBERS = {
  runs: 50,
  vpcs: 1000,
  peerings: 10_000,
  interfaces: 20_000,
  switch: undefined,
  mesh: undefined,
  clients: 16,
};

const ENGINES = ["embedded", "postgres", "both"];

/** @throws Error a sentence for people, when the arguments make no sense */
export function readOptions(args = process.argv.slice(2)) {
  const text = { type: "string" };
  const { values } = parseArgs({
    args,
    options: {
      ...Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, text])),
      engine: text,
      profile: text,
      json: text,
      help: { type: "boolean", short: "h" },
    },
  });
  const { engine, profile, json, help = false } = values;
  if (engine !== undefined && !ENGINES.includes(engine)) {
    throw new Error(`--engine ${engine}: expected one of ${ENGINES.join(", ")}`);
  }
  const numbers = Object.entries(NUMBERS).map(([name, fallback]) => {
    return [name, values[name] === undefined ? fallback : whole(name, values[name])];
  });
  return { ...Object.fromEntries(numbers), engine, profile, json, help };
}

function whole(name, value) {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} ${value}: expected a whole number above 0`);
}

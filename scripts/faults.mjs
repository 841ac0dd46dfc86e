// `npm run test:faults`: faults under load, against a real switch; docs/faults.md tells which.
import { parseArgs } from "node:util";
import { CommandError } from "./lib/process.mjs";
import { note } from "./lib/terminal.mjs";
import { vitest } from "./lib/tiers.mjs";

const USAGE = "usage: npm run test:faults -- [--minutes N] [--seed N] [--only KIND] [--out FILE]";

function readArguments() {
  const text = { type: "string" };
  const options = { minutes: text, seed: text, only: text, out: text };
  try {
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    note(`${error.message}\n${USAGE}`);
    return process.exit(2);
  }
}

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => stopping.abort());

for (const [name, value] of Object.entries(readArguments())) {
  process.env[`FAULTS_${name.toUpperCase()}`] = value;
}
try {
  await vitest("faults", stopping.signal)();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  process.exitCode = 1;
}

// `npm run test:hostile`: hostile tenants and mishaps at length, on a real switch (root).
//
// HOSTILE_SEED=N    repeats a run; printed when it is not given
// HOSTILE_COUNT=N   random frames of each thrower (default: 20000)
import { randomInt } from "node:crypto";
import { CommandError } from "./lib/process.mjs";
import { note } from "./lib/terminal.mjs";
import { vitest } from "./lib/tiers.mjs";

const FOLDER = "test/ovs/hostile";

function wholeIn(name) {
  const text = process.env[name];
  if (text === undefined || /^[1-9]\d{0,9}$/.test(text)) return text;
  note(`${name} must be a whole number above 0, not '${text}'`);
  return process.exit(2);
}

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => stopping.abort());

const seed = wholeIn("HOSTILE_SEED") ?? String(randomInt(1, 2 ** 31));
const count = wholeIn("HOSTILE_COUNT");
Object.assign(process.env, { HOSTILE_LONG: "1", HOSTILE_SEED: seed });
const repeat = `HOSTILE_SEED=${seed} ${count === undefined ? "" : `HOSTILE_COUNT=${count} `}npm run test:hostile`;
note(`to repeat this run: ${repeat}`);
try {
  await vitest("ovs", stopping.signal, [FOLDER])();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  process.exitCode = 1;
}
note(`to repeat this run: ${repeat}`);

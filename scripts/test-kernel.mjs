// `npm run test:kernel`: the tests on Open vSwitch's kernel datapath, in a guest of their own.
//
// --only PART,...   packets, demo, service; a run of parts is not recorded
// --files NAME,...  the packet tests whose files are named so; not recorded either
// --all             every packet test instead of the chosen ones
import { parseArgs } from "node:util";
import { bootFiles } from "./kernel/cache.mjs";
import { notRun } from "./kernel/parts.mjs";
import { commitOfTree, recordGreen } from "./kernel/record.mjs";
import { PARTS, runPart } from "./kernel/run-part.mjs";
import { prepare, requireNode } from "./lib/prepare.mjs";
import { CommandError, isRoot } from "./lib/process.mjs";
import { note, out } from "./lib/terminal.mjs";
import { runTier, summarise } from "./lib/tiers.mjs";

const USAGE = `usage: npm run test:kernel -- [--only ${Object.keys(PARTS).join(",")}] [--files NAME,... | --all]`;

function readArguments() {
  const text = { type: "string" };
  const options = { only: text, files: text, all: { type: "boolean" } };
  const { values } = parseArgs({ options, strict: true });
  const only = values.only?.split(",") ?? Object.keys(PARTS);
  const unknown = only.find((name) => !(name in PARTS));
  if (unknown !== undefined) throw new Error(`there is no part '${unknown}'`);
  const choice = { files: values.files?.split(",") ?? [], all: values.all === true };
  return { only, choice, whole: values.only === undefined && values.files === undefined };
}

function argumentsOrUsage() {
  try {
    return readArguments();
  } catch (error) {
    note(`${error.message}\n${USAGE}`);
    return process.exit(2);
  }
}

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => stopping.abort(new Error(`stopped by ${name}`)));
}

async function main({ only, choice, whole }) {
  const { signal } = stopping;
  requireNode();
  if (process.platform !== "linux" || !isRoot()) throw new Error("it needs Linux, and root");
  const begun = Date.now();
  const commit = commitOfTree();
  const boot = {};
  const outcomes = [
    await runTier("packages and build", () => prepare(signal)),
    await runTier("kernel and disk of the guest", async () => {
      Object.assign(boot, await bootFiles(signal));
      return boot.built.length === 0
        ? "as they were built before"
        : `built ${boot.built.join(", ")}`;
    }),
  ];
  if (outcomes.every(({ state }) => state === "passed")) {
    for (const name of only) outcomes.push(...(await runPart(name, { boot, choice, signal })));
  }
  const code = summarise(outcomes, true);
  for (const { file, why } of notRun()) out(`not run: ${file}: ${why}`);
  const seconds = (Date.now() - begun) / 1000;
  if (code === 0 && whole) recordGreen(commit, { guest: boot.guest, outcomes, seconds });
  return code;
}

main(argumentsOrUsage()).then(
  (code) => process.exit(stopping.signal.aborted ? 130 : code),
  (error) => {
    note(error instanceof CommandError ? error.message : (error.stack ?? String(error)));
    process.exit(1);
  },
);

// Runs in the guest: the tests with real packets on the kernel datapath; which files, by arguments.
import { writeFileSync } from "node:fs";
import { CommandError } from "../lib/process.mjs";
import { Skipped, vitest } from "../lib/tiers.mjs";
import { ANSWER } from "./parts.mjs";

const answer = (found) => writeFileSync(ANSWER, JSON.stringify(found));

try {
  answer({ detail: await vitest("ovs", new AbortController().signal, process.argv.slice(2))() });
} catch (error) {
  if (!(error instanceof CommandError || error instanceof Skipped)) throw error;
  answer({ failures: error.failures ?? [], detail: error.message.split("\n")[0] });
  process.exitCode = 1;
}

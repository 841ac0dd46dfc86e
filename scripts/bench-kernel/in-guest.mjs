import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { bootFiles } from "../kernel/cache.mjs";
import { runInGuest } from "../kernel/guest.mjs";
import { loadOfLastMinute, machineFacts } from "../lib/machine-facts.mjs";
import { note } from "../lib/terminal.mjs";

/** Far beyond what any of it takes. */
const LIMIT_MS = 6 * 3_600_000;
const ANSWER = "answer.json";
const LINES_OF_A_FAILURE = 20;

/** The same in a guest that has the kernel's datapath. @returns what `measureHere` found there */
export async function measureInGuest(options, signal) {
  const files = await bootFiles(signal);
  const host = machineFacts();
  const output = join("/host/share", ANSWER);
  const words = ["scripts/bench-kernel.mjs", "--here", "--output", output, ...wordsOf(options)];
  const last = [];
  const onLine = (line) => {
    tellProgress(line);
    last.push(line);
    if (last.length > LINES_OF_A_FAILURE) last.shift();
  };
  const script = `exec node ${words.join(" ")}`;
  const processor = cpus().length - 1;
  const job = { script, limitMs: LIMIT_MS, processor, onLine, signal };
  const { code, collected } = await runInGuest(files, job, readAnswer);
  if (code !== 0) throw new Error(`in the guest it ended with ${code}:\n${last.join("\n")}`);
  return { ...collected, host: { ...host, loadAfter: loadOfLastMinute() } };
}

function readAnswer(share) {
  const file = join(share, ANSWER);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

function wordsOf({ sizes, rounds, seconds, restarts, parts, quick }) {
  const lists = ["--sizes", sizes.join(","), "--only", parts.join(",")];
  const numbers = ["--rounds", rounds, "--seconds", seconds, "--restarts", restarts];
  return [...lists, ...numbers, ...(quick ? ["--quick"] : [])];
}

/** Its tables are ours to print. */
function tellProgress(line) {
  const [, text] = /^patchbay: (.*)/.exec(line) ?? [];
  if (text !== undefined) note(text);
}

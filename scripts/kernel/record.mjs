import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/process.mjs";
import { note } from "../lib/terminal.mjs";

const FILE = "test/kernel/last-green.json";
/** What a green run is about; a text of the documentation does not make it old. */
const CODE = ["src", "ovs", "prisma", "test", "scripts/kernel", "package-lock.json"];

/** @returns {string | undefined} the commit that the tree is; undefined where it differs from it */
export function commitOfTree(root = ROOT) {
  const changed = git(root, ["status", "--porcelain", "--", ".", `:!${FILE}`]);
  return changed === "" ? git(root, ["rev-parse", "HEAD"]) : undefined;
}

/**
 * Writes down that everything was green, and for which commit.
 * @param {string | undefined} commit what the tree was at the start; it must be so still
 * @param {{ guest: object, outcomes: import("../lib/tiers.mjs").Outcome[], seconds: number }} run
 */
export function recordGreen(commit, { guest, outcomes, seconds }, root = ROOT) {
  if (commit === undefined || commit !== commitOfTree(root)) {
    return note("not recorded: the tree has changes that are not committed");
  }
  const parts = outcomes.map(({ tier, detail, seconds: took }) => ({
    part: tier,
    detail,
    seconds: Math.round(took),
  }));
  const date = new Date().toISOString();
  const record = { commit, date, guest, seconds: Math.round(seconds), parts };
  writeFileSync(join(root, FILE), `${JSON.stringify(record, null, 2)}\n`);
  note(`recorded in ${FILE}`);
}

/** @returns {string} one sentence: when the tests on the kernel datapath were last green, and for what */
export function lastGreen(root = ROOT) {
  const file = join(root, FILE);
  const of = "kernel datapath (npm run test:kernel)";
  if (!existsSync(file)) return `${of}: never recorded as green`;
  const { commit, date } = JSON.parse(readFileSync(file, "utf8"));
  return `${of}: last green on ${date.slice(0, 10)} for ${commit.slice(0, 12)}${sinceThen(root, commit)}`;
}

function sinceThen(root, commit) {
  const changed = git(root, ["diff", "--shortstat", commit, "--", ...CODE, `:!${FILE}`]);
  if (changed === undefined) return ", a commit that this clone does not know";
  if (changed === "") return ", the code as it is now";
  return `; since then ${changed} in ${CODE.join(", ")}`;
}

/** @returns {string | undefined} what git says; undefined where it cannot answer */
function git(root, args) {
  try {
    const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    return execFileSync("git", args, options).trim();
  } catch (error) {
    if (error.status !== undefined || error.code === "ENOENT") return undefined;
    throw error;
  }
}

import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CommandError, npm, ROOT, run } from "./process.mjs";
import { bold, dim, green, out, red, warn, yellow } from "./terminal.mjs";

const LINES_OF_A_FAILURE = 25;

/**
 * @typedef {object} Outcome
 * @property {string} tier
 * @property {"passed" | "failed" | "skipped"} state
 * @property {string} detail
 * @property {number} seconds
 * @property {string[]} [failures] of a failed tier: what failed and why, a test each
 */

/** Runs one part of the tests. `work` resolves to its detail, throws CommandError when it fails. */
export async function runTier(tier, work) {
  out(bold(`\n── ${tier} ${"─".repeat(Math.max(0, 74 - tier.length))}`));
  const begun = Date.now();
  const outcome = (state, detail) => ({
    tier,
    state,
    detail,
    seconds: (Date.now() - begun) / 1000,
  });
  try {
    return outcome("passed", (await work()) ?? "");
  } catch (error) {
    if (error instanceof Skipped) return skipTier(tier, error.message);
    if (!(error instanceof CommandError)) throw error;
    out(red(error.message));
    const failures = error.failures ?? [];
    const detail = failures.length > 0 ? `${failures.length} failed` : "see above";
    return { ...outcome("failed", detail), failures };
  }
}

/** Thrown by a tier that cannot run here, with the reason. */
export class Skipped extends Error {}

export function skipTier(tier, why) {
  warn([`SKIPPED: ${tier}`, ...why.split("\n")]);
  return { tier, state: "skipped", detail: why.split("\n")[0], seconds: 0 };
}

/** A script of package.json. */
export const npmScript = (name, signal) => async () => {
  await npm(["run", "-s", name], { show: true, signal });
};

/** One project of vitest, or what of it is below `parts`, with a temporary directory of its own. */
export const vitest =
  (project, signal, parts = []) =>
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "pbt-"));
    // PostgreSQL runs as another user and has to get through.
    chmodSync(folder, 0o755);
    try {
      return await runVitest([project, ...parts], folder, signal);
    } finally {
      await sweep(folder);
    }
  };

async function runVitest(selection, folder, signal) {
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const program = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--project", ...selection];
  const env = { TMPDIR: folder, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  try {
    await run(process.execPath, [...program, ...reporters], { show: true, signal, env });
  } catch (error) {
    if (error instanceof CommandError) error.failures = failuresIn(report);
    throw error;
  }
  const { numPassedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
  if (numPassedTests === 0) throw new Skipped("no test of this tier ran");
  // Tests that skip themselves make a skipped tier, or nobody would see.
  if (numPendingTests > 0) {
    throw new Skipped(`${numPendingTests} tests skipped themselves, ${numPassedTests} passed`);
  }
  return `${numPassedTests} tests`;
}

/** @returns {string[]} what failed by vitest's report, with the first lines of why */
function failuresIn(report) {
  if (!existsSync(report)) return [];
  return JSON.parse(readFileSync(report, "utf8")).testResults.flatMap(failuresOfFile);
}

function failuresOfFile({ name, status, message, assertionResults }) {
  const file = relative(ROOT, name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length === 0) return status === "failed" ? [`${file}\n${excerpt(message)}`] : [];
  return failed.map((test) => {
    return `${file} > ${test.fullName}\n${excerpt(test.failureMessages.join("\n"))}`;
  });
}

const excerpt = (text) =>
  text
    .split("\n")
    .slice(0, LINES_OF_A_FAILURE)
    .map((line) => `    ${line}`)
    .join("\n");

/** Stops the switches and disks that an interrupted run has left, and removes its files. */
async function sweep(folder) {
  for (const disk of mountsBelow(folder)) await run("umount", ["--lazy", disk]);
  for (const name of readdirSync(folder)) {
    if (existsSync(join(folder, name, "ovsdb-server.pid"))) {
      await run(join(ROOT, "ovs/sandbox.sh"), ["stop", join(folder, name)]);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

function mountsBelow(folder) {
  if (process.platform !== "linux") return [];
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const places = mounts.map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`));
}

/** Prints the table. @returns {number} the exit code */
export function summarise(outcomes, ci) {
  const paint = { passed: green, failed: red, skipped: yellow };
  out(bold("\n── summary ──────────────────────────────────────────────────────────────────"));
  for (const { tier, state, detail, seconds } of outcomes) {
    const time = dim(`${seconds.toFixed(1)} s`.padStart(8));
    out(`${paint[state](state.padEnd(9))}${tier.padEnd(32)}${time}  ${detail}`);
  }
  // Once more at the end: where logs are cut, the end is what is kept.
  for (const failure of outcomes.flatMap(({ failures = [] }) => failures))
    out(`\n${red("failed")} ${failure}`);
  const count = (state) => outcomes.filter((outcome) => outcome.state === state).length;
  const skipped = count("skipped");
  out(skipped > 0 && ci ? red("A skipped tier is a failure under CI=true.") : "");
  out(`passed: ${count("passed")}, failed: ${count("failed")}, skipped tiers: ${skipped}`);
  return count("failed") > 0 || (skipped > 0 && ci) ? 1 : 0;
}

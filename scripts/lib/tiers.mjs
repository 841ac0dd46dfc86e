import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, npm, ROOT, run } from "./process.mjs";
import { bold, dim, green, out, red, warn, yellow } from "./terminal.mjs";

/**
 * @typedef {object} Outcome
 * @property {string} tier
 * @property {"passed" | "failed" | "skipped"} state
 * @property {string} detail
 * @property {number} seconds
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
    return outcome("failed", "see above");
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

/** One project of vitest, with a temporary directory of its own. */
export const vitest = (project, signal) => async () => {
  const folder = mkdtempSync(join(tmpdir(), "pbt-"));
  // PostgreSQL runs as another user and has to get through.
  chmodSync(folder, 0o755);
  try {
    return await runVitest(project, folder, signal);
  } finally {
    await sweep(folder);
  }
};

async function runVitest(project, folder, signal) {
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const program = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--project", project];
  const env = { TMPDIR: folder, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  await run(process.execPath, [...program, ...reporters], { show: true, signal, env });
  const { numPassedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
  if (numPassedTests === 0) throw new Skipped("no test of this tier ran");
  // Tests that skip themselves make a skipped tier, or nobody would see.
  if (numPendingTests > 0) {
    throw new Skipped(`${numPendingTests} tests skipped themselves, ${numPassedTests} passed`);
  }
  return `${numPassedTests} tests`;
}

/** Stops the switches that an interrupted run has left, and removes its files. */
async function sweep(folder) {
  for (const name of readdirSync(folder)) {
    if (existsSync(join(folder, name, "ovsdb-server.pid"))) {
      await run(join(ROOT, "ovs/sandbox.sh"), ["stop", join(folder, name)]);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Prints the table. @returns {number} the exit code */
export function summarise(outcomes, ci) {
  const paint = { passed: green, failed: red, skipped: yellow };
  out(bold("\n── summary ──────────────────────────────────────────────────────────────────"));
  for (const { tier, state, detail, seconds } of outcomes) {
    const time = dim(`${seconds.toFixed(1)} s`.padStart(8));
    out(`${paint[state](state.padEnd(9))}${tier.padEnd(32)}${time}  ${detail}`);
  }
  const count = (state) => outcomes.filter((outcome) => outcome.state === state).length;
  const skipped = count("skipped");
  out(skipped > 0 && ci ? red("A skipped tier is a failure under CI=true.") : "");
  out(`passed: ${count("passed")}, failed: ${count("failed")}, skipped tiers: ${skipped}`);
  return count("failed") > 0 || (skipped > 0 && ci) ? 1 : 0;
}

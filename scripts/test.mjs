// `npm test`: every tier, from a fresh clone; installs what it needs where it can.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastGreen } from "./kernel/record.mjs";
import { prepare, requireNode } from "./lib/prepare.mjs";
import { CommandError, isRoot, ROOT, run, succeeds } from "./lib/process.mjs";
import { note, out } from "./lib/terminal.mjs";
import { npmScript, runTier, Skipped, skipTier, summarise, vitest } from "./lib/tiers.mjs";

const TEST_PACKAGES = [
  "ca-certificates",
  "curl",
  "iperf3",
  "iputils-ping",
  "jq",
  "netcat-openbsd",
  "postgresql",
  "procps",
  "python3",
  "tcpdump",
  "util-linux",
];

const stopping = new AbortController();
const { signal } = stopping;

/** @returns {Promise<string | undefined>} why not, where it could not be installed */
async function install(packages) {
  try {
    await run(join(ROOT, "ovs/install.sh"), packages, { show: true, signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return "what it needs is not installed and could not be (see above)";
  }
}

/** PostgreSQL's package makes a cluster of its own unless told otherwise; tests make theirs. */
function wantNoMainCluster() {
  const folder = "/etc/postgresql-common/createcluster.d";
  if (!isRoot() || existsSync("/usr/lib/postgresql") || !existsSync("/usr/bin/apt-get")) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "patchbay-tests.conf"), "create_main_cluster = false\n");
}

/** @returns {boolean} whether a PostgreSQL server of the distribution is installed */
function postgresIsThere() {
  const folder = "/usr/lib/postgresql";
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  return versions.some((version) => existsSync(join(folder, version, "bin/initdb")));
}

async function checkCompose() {
  if (isRoot() && !(await succeeds("docker-compose", ["version"]))) {
    await install(["docker-compose"]);
  }
  if (!(await succeeds("docker-compose", ["version"], { limitMs: 20_000 }))) {
    throw new Skipped("docker-compose is not installed");
  }
  for (const profile of [[], ["--profile", "ovs"]]) {
    await run("docker-compose", [...profile, "config", "--quiet"], { show: true });
  }
  return "docker-compose.yml";
}

/** A tier whose tests run a switch of their own, with namespaces plugged into it. */
async function switchTier(tier, project, installProblem) {
  if (process.platform !== "linux") return skipTier(tier, "Open vSwitch runs on Linux only");
  if (!isRoot())
    return skipTier(tier, "needs root (network namespaces, tap devices): sudo npm test");
  const programs = ["ovs-vswitchd", "ovs-ofctl", "ip", "ethtool", "ping"];
  const path = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  for (const program of programs) {
    if (!(await succeeds("sh", ["-c", `command -v ${program}`], { env: path }))) {
      return skipTier(tier, `${program} is missing: ${installProblem ?? "install it"}`);
    }
  }
  return runTier(tier, vitest(project, signal));
}

async function main() {
  requireNode();
  wantNoMainCluster();
  const installProblem = await install(TEST_PACKAGES);
  if (installProblem !== undefined) note("going on without; what needs it is skipped");
  const outcomes = [await runTier("packages and build", () => prepare(signal))];
  if (outcomes[0].state === "passed") outcomes.push(...(await allTiers(installProblem)));
  const code = summarise(outcomes, process.env.CI === "true");
  out(lastGreen());
  return code;
}

async function allTiers(installProblem) {
  const outcomes = [
    await runTier("lint", npmScript("lint", signal)),
    await runTier("types", npmScript("typecheck", signal)),
    await runTier("compose file", checkCompose),
    await runTier("unit and golden flows", vitest("unit", signal)),
    await runTier("API on PGlite and PostgreSQL", vitest("api", signal)),
  ];
  if (!postgresIsThere()) {
    const why = installProblem ?? "install the package postgresql";
    outcomes.push(skipTier("PostgreSQL", `no server in /usr/lib/postgresql: ${why}`));
  }
  outcomes.push(await switchTier("packets on Open vSwitch", "ovs", installProblem));
  outcomes.push(await switchTier("faults under load", "faults", installProblem));
  return outcomes;
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  // The part under way is ended and cleaned up; the rest is not begun.
  process.on(name, () => stopping.abort());
}

main().then(
  (code) => process.exit(signal.aborted ? 130 : code),
  (error) => {
    note(error.stack ?? String(error));
    process.exit(1);
  },
);

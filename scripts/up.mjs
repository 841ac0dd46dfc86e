// `npm run up`: everything from a fresh clone to a running daemon, and back again on Ctrl-C.
import { rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { probe, settledListen, startDaemon, urlOf, waitUntilReady } from "./lib/daemon.mjs";
import { tryLock } from "./lib/lock.mjs";
import { prepare, requireNode } from "./lib/prepare.mjs";
import { CommandError } from "./lib/process.mjs";
import { chooseSwitch, sandboxRuns, startSandbox, stopSandbox } from "./lib/switch.mjs";
import { bold, dim, green, note, out, warn, yellow } from "./lib/terminal.mjs";

const READY_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 10_000;
const WATCH_EVERY_MS = 1000;

const dataDir = resolve(process.env.PATCHBAY_DATA_DIR || "var");
const tokenFile = join(dataDir, "operator-token");
const settingsFile = join(dataDir, "up.env");
const stopping = new AbortController();
const stopAsked = new Promise((asked) => {
  stopping.signal.addEventListener("abort", asked);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => stopping.abort());
}

/** @returns {Promise<number>} the exit code */
async function main() {
  requireNode();
  await prepare(stopping.signal);
  // Whoever holds the lock owns the private switch; a second `up` only gets the daemon's refusal.
  const lock = tryLock(join(dataDir, "up.lock"));
  try {
    return stopping.signal.aborted ? 0 : await runOnSwitch(lock !== undefined);
  } finally {
    lock?.release();
  }
}

async function runOnSwitch(owner) {
  const dir = join(dataDir, "ovs");
  const chosen = await chooseSwitch(dataDir, process.env, stopping.signal);
  if (chosen.why?.length > 0 && !stopping.signal.aborted) explainNoSwitch(chosen.why);
  const ours = owner && chosen.kind === "sandbox";
  let outcome = { code: 1, cameUp: false };
  try {
    outcome = await runDaemon(chosen, ours ? dir : undefined);
    return outcome.code;
  } finally {
    if (owner && outcome.cameUp) rmSync(settingsFile, { force: true });
    // A daemon that never came up may have been refused by another one that uses this switch.
    if (ours && (outcome.cameUp || chosen.started)) await stopSandbox(dir);
  }
}

/** @returns {Promise<{ code: number, cameUp: boolean }>} */
async function runDaemon(chosen, sandboxDir) {
  if (stopping.signal.aborted) return { code: 0, cameUp: true };
  const listen = await settledListen(process.env);
  const env = { ...chosen.env, PATCHBAY_DATA_DIR: dataDir, PATCHBAY_LISTEN: listen };
  const url = urlOf({ ...process.env, ...env });
  const occupied = (await probe(url, "/livez")) !== undefined;
  // `npm run up -- --adopt`: said once, and not again for a daemon that was killed.
  const daemon = startDaemon(env, { say: process.argv.slice(2) });
  const state = await Promise.race([
    occupied ? daemon.exited.then(() => "exited") : waitUntilReady(daemon, url, READY_LIMIT_MS),
    stopAsked.then(() => "stopping"),
  ]);
  if (state === "exited") return { code: await failedStart(daemon, url, occupied), cameUp: false };
  if (state !== "stopping") {
    writeSettings(url, { ...process.env, ...chosen.env });
    greet(url, chosen, state);
  }
  const code = await serve(daemon, env, sandboxDir);
  return { code, cameUp: true };
}

async function failedStart(daemon, url, occupied) {
  if (occupied) note(`something else answers at ${url}: set PATCHBAY_LISTEN to another port`);
  return (await daemon.exited) || 1;
}

/** Until Ctrl-C or the daemon's own end; what was killed meanwhile is started again. */
async function serve(first, env, sandboxDir) {
  const watch = sandboxDir === undefined ? undefined : keepSandboxRunning(sandboxDir);
  const { daemon, ended } = await untilEnded(first, env);
  await watch?.end();
  if (ended !== undefined) {
    note(`the daemon ended by itself (${ended})`);
    return ended;
  }
  note("stopping");
  const code = await daemon.stop(DRAIN_LIMIT_MS);
  if (code === 137)
    note(`the daemon did not stop within ${DRAIN_LIMIT_MS / 1000} s and was killed`);
  return 0;
}

const KILLED = 137;

/** @returns the daemon that runs when a stop is asked for, or the code that it ended with itself */
async function untilEnded(first, env) {
  let daemon = first;
  for (;;) {
    const ended = await Promise.race([daemon.exited, stopAsked]);
    if (typeof ended !== "number") return { daemon };
    if (ended !== KILLED) return { daemon, ended };
    note("the daemon was killed; starting it again");
    daemon = startDaemon(env);
  }
}

/** @returns {{ end(): Promise<void> }} `end` waits for a start under way */
function keepSandboxRunning(dir) {
  let work = Promise.resolve();
  let busy = false;
  const check = async () => {
    if (busy || sandboxRuns(dir)) return;
    busy = true;
    note("a daemon of the private Open vSwitch is gone; starting it again");
    try {
      await startSandbox(dir);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      note(error.message);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => {
    work = work.then(check);
  }, WATCH_EVERY_MS);
  return {
    end: () => {
      clearInterval(timer);
      return work;
    },
  };
}

/** What `npm run demo` and a person in another terminal need (`. var/up.env`). */
function writeSettings(url, env) {
  const settings = {
    PATCHBAY_URL: url,
    PATCHBAY_OVSDB: env.PATCHBAY_OVSDB,
    PATCHBAY_OVS_RUNDIR: env.PATCHBAY_OVS_RUNDIR,
    PATCHBAY_DATAPATH: env.PATCHBAY_DATAPATH,
  };
  const lines = Object.entries(settings)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}=${quoted(value)}\n`);
  if (!env.PATCHBAY_OPERATOR_TOKEN) {
    lines.push(`PATCHBAY_TOKEN=$(cat ${quoted(tokenFile)})\n`);
  }
  rmSync(settingsFile, { force: true });
  writeFileSync(settingsFile, lines.join(""), { mode: 0o600 });
}

/** For a shell; left as it is where that is safe. */
function quoted(text) {
  return /^[\w/.:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function greet(url, chosen, state) {
  const token = process.env.PATCHBAY_OPERATOR_TOKEN
    ? "as set in PATCHBAY_OPERATOR_TOKEN"
    : relative(process.cwd(), tokenFile);
  const rows = [
    ["API", `${url}/v1`],
    ["Documentation", `${url}/docs`],
    ["Operator token", token],
    ["Switch", chosen.kind === "none" ? yellow("none: no-op mode, no packets") : chosen.label],
    ["Try it", "npm run demo   (in another terminal)"],
    ["Stop", "Ctrl-C"],
  ];
  out();
  out(
    state === "ready" ? bold(green("  Patchbay is ready")) : bold(yellow("  Patchbay is waiting")),
  );
  if (state !== "ready") out(dim(`  see ${url}/readyz for what it waits for`));
  for (const [name, value] of rows) out(`  ${name.padEnd(16)}${value}`);
  out();
}

function explainNoSwitch(why) {
  warn([
    "NO OPEN VSWITCH: Patchbay runs in no-op mode. The API works; no packet is forwarded.",
    ...why.flatMap((reason) => reason.split("\n")),
    "For the real thing: run as root on Debian or Ubuntu, or install openvswitch-switch,",
    "or set PATCHBAY_OVSDB to a switch that runs.",
  ]);
}

main().then(
  (code) => process.exit(code),
  (error) => {
    if (stopping.signal.aborted) process.exit(0);
    note(error instanceof CommandError ? error.message : (error.stack ?? String(error)));
    process.exit(1);
  },
);

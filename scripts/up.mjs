// `npm run up`: everything from a fresh clone to a running daemon, and back again on Ctrl-C.
import { settledListen, startDaemon, urlOf, waitUntilReady } from "./lib/daemon.mjs";
import { tryLock } from "./lib/lock.mjs";
import { prepare, requireNode } from "./lib/prepare.mjs";
import { CommandError } from "./lib/process.mjs";
import { step } from "./lib/progress.mjs";
import { chooseSwitch, stopSandbox } from "./lib/switch.mjs";
import { note } from "./lib/terminal.mjs";
import { explainNoSwitch, greet } from "./up/greeting.mjs";
import { beginLog, showEnd, withLog } from "./up/log.mjs";
import { tellOfOther, whoIsAt } from "./up/others.mjs";
import { placeOf, shortPath } from "./up/place.mjs";
import { keepSandboxRunning } from "./up/private-switch.mjs";
import { removeSettings, writeSettings } from "./up/settings.mjs";

const READY_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 10_000;
const KILLED = 137;

const place = placeOf(process.env);
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
  // Whoever holds the lock owns the private switch and the files of this data directory.
  const lock = tryLock(place.lock);
  if (lock === undefined) return tellOfOther(place, process.env);
  try {
    removeSettings(place);
    return await bringUp();
  } finally {
    lock.release();
  }
}

async function bringUp() {
  const listen = await settledListen(process.env);
  const taken = await whoIsAt(listen, process.env, place);
  if (taken !== undefined) {
    note(taken);
    return 1;
  }
  await prepare(stopping.signal);
  return stopping.signal.aborted ? 0 : runOnSwitch(listen);
}

async function runOnSwitch(listen) {
  const chosen = await chooseSwitch(place.dataDir, process.env, stopping.signal);
  if (chosen.why?.length > 0 && !stopping.signal.aborted) explainNoSwitch(chosen.why);
  const ours = chosen.kind === "sandbox";
  let outcome = { code: 1, cameUp: false };
  try {
    outcome = await runDaemon(listen, chosen);
    return outcome.code;
  } finally {
    removeSettings(place);
    // A daemon that never came up may have been refused by another one that uses this switch.
    if (ours && (outcome.cameUp || chosen.started)) await stopSandbox(place.switchDir);
  }
}

/** @returns {Promise<{ code: number, cameUp: boolean }>} */
async function runDaemon(listen, chosen) {
  if (stopping.signal.aborted) return { code: 0, cameUp: true };
  const env = { ...chosen.env, PATCHBAY_DATA_DIR: place.dataDir, PATCHBAY_LISTEN: listen };
  const url = urlOf({ ...process.env, ...env });
  beginLog(place.log);
  // `npm run up -- --adopt`: said once, and not again for a daemon that was killed.
  const daemon = startLogged(env, process.argv.slice(2));
  const state = await Promise.race([
    step("starting the daemon", () => waitUntilReady(daemon, url, READY_LIMIT_MS)),
    stopAsked.then(() => "stopping"),
  ]);
  if (state === "exited") return { code: await failedStart(daemon), cameUp: false };
  if (state !== "stopping") {
    writeSettings(place, url, { ...process.env, ...chosen.env });
    greet({ url, chosen, state, place });
  }
  const watched = chosen.kind === "sandbox" ? place.switchDir : undefined;
  return { code: await serve(daemon, env, watched), cameUp: true };
}

/** Its log would bury the greeting; what it says on stderr is for people. */
const startLogged = (env, say) => withLog(place.log, (output) => startDaemon(env, { output, say }));

async function failedStart(daemon) {
  note(`the daemon did not start; its log is ${shortPath(place.log)}`);
  return (await daemon.exited) || 1;
}

/** Until Ctrl-C or the daemon's own end; what was killed meanwhile is started again. */
async function serve(first, env, sandboxDir) {
  const watch = sandboxDir === undefined ? undefined : keepSandboxRunning(sandboxDir);
  const { daemon, ended } = await untilEnded(first, env);
  await watch?.end();
  if (ended !== undefined) {
    note(`the daemon ended by itself (${ended}); the end of ${shortPath(place.log)}:`);
    showEnd(place.log);
    return ended;
  }
  note("stopping");
  const code = await daemon.stop(DRAIN_LIMIT_MS);
  if (code === KILLED)
    note(`the daemon did not stop within ${DRAIN_LIMIT_MS / 1000} s and was killed`);
  return 0;
}

/** @returns the daemon that runs when a stop is asked for, or the code that it ended with itself */
async function untilEnded(first, env) {
  let daemon = first;
  for (;;) {
    const ended = await Promise.race([daemon.exited, stopAsked]);
    if (typeof ended !== "number") return { daemon };
    if (ended !== KILLED) return { daemon, ended };
    note("the daemon was killed; starting it again");
    daemon = startLogged(env);
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    if (stopping.signal.aborted) process.exit(0);
    note(isForPeople(error) ? error.message : (error.stack ?? String(error)));
    process.exit(1);
  },
);

/** A command that failed, or a file that is not ours to write: no fault of this program. */
function isForPeople(error) {
  return error instanceof CommandError || error.syscall !== undefined;
}

import { createServer } from "node:net";
import { runningUrl } from "../lib/client.mjs";
import { probe, titleOf, urlOf } from "../lib/daemon.mjs";
import { holderOf } from "../lib/lock.mjs";
import { CommandError, run } from "../lib/process.mjs";
import { note } from "../lib/terminal.mjs";
import { greetAgain } from "./greeting.mjs";
import { shortPath } from "./place.mjs";

/**
 * Says that another `npm run up` holds this data directory, and how to use what it runs.
 * @returns {Promise<number>} 0: what was asked for is there. 1: it is not, or not yet
 */
export async function tellOfOther(place, env) {
  const pid = holderOf(place.lock);
  const url = runningUrl(env);
  if (url === undefined || (await probe(url, "/livez")) !== 200) {
    note(`another \`npm run up\`${byProcess(pid)} is starting or stopping here; see its terminal`);
    return 1;
  }
  greetAgain({ url, pid, place });
  if (!env.PATCHBAY_LISTEN || isAt(url, env)) return 0;
  note(
    `it listens at ${url}, not at ${env.PATCHBAY_LISTEN}. Stop it to start it there, ` +
      "or give the second one a data directory of its own: PATCHBAY_DATA_DIR=var2",
  );
  return 1;
}

const byProcess = (pid) => (pid === undefined ? "" : ` (process ${pid})`);

const isAt = (url, env) => env.PATCHBAY_LISTEN.endsWith(":0") || urlOf(env) === url;

/**
 * Whether the port is free, asked before anything is installed or started.
 * @param {string} listen ADDRESS:PORT
 * @returns {Promise<string | undefined>} a sentence on who has it and what to do
 */
export async function whoIsAt(listen, env, place) {
  const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? [];
  // Whatever else is wrong with it, the daemon says better.
  if (port === undefined || !(await isTaken(host.replace(/^\[|\]$/g, ""), Number(port)))) return;
  const url = urlOf({ ...env, PATCHBAY_LISTEN: listen });
  const remedy = "choose another port (PATCHBAY_LISTEN=127.0.0.1:0 takes any), or stop it";
  if ((await titleOf(url)) === "Patchbay") {
    return (
      `${listen} is taken: a Patchbay that was not started by \`npm run up\` on ` +
      `${shortPath(place.dataDir)} answers at ${url}${await holderOfPort(port)}. ` +
      `Use that one, or ${remedy}`
    );
  }
  return `${listen} is taken: something else listens there${await holderOfPort(port)}; ${remedy}`;
}

function isTaken(host, port) {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (error) => done(error.code === "EADDRINUSE"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(false)));
  });
}

/** @returns {Promise<string>} " (NAME, process PID)" where it can be learned */
async function holderOfPort(port) {
  try {
    const { stdout } = await run("ss", ["-Hltnp", `sport = :${port}`], { limitMs: 2000 });
    const [, name, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout) ?? [];
    return pid === undefined ? "" : ` (${name}, process ${pid})`;
  } catch (error) {
    if (error instanceof CommandError) return "";
    throw error;
  }
}

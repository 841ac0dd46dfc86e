import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { freePort } from "./free-port.mjs";
import { ROOT, sleep } from "./process.mjs";

const DEFAULT_LISTEN = "127.0.0.1:8080";
const PROBE_LIMIT_MS = 2000;

/** @returns {string} how this machine reaches a daemon that listens so, without a final slash */
export function urlOf(env) {
  const [, host, port] = /^(.*):(\d+)$/.exec(env.PATCHBAY_LISTEN || DEFAULT_LISTEN) ?? [];
  const reachable = { "0.0.0.0": "127.0.0.1", "[::]": "[::1]" }[host] ?? host;
  return `${env.PATCHBAY_TLS_CERT ? "https" : "http"}://${reachable}:${port}`;
}

/** @returns {Promise<string>} where to listen: port 0 becomes a free one, which can be printed */
export async function settledListen(env) {
  const listen = env.PATCHBAY_LISTEN || DEFAULT_LISTEN;
  if (!listen.endsWith(":0")) return listen;
  return listen.replace(/0$/, String(await freePort()));
}

/** @returns {Promise<number | undefined>} the status of an answer, undefined when there is none */
export async function probe(url, path) {
  return (await ask(url, path))?.status;
}

/** @returns {Promise<string | undefined>} the title of the API that answers there, if any does */
export async function titleOf(url) {
  const answer = await ask(url, "/openapi.json");
  return /"title": ?"([^"]*)"/.exec(answer?.body ?? "")?.[1];
}

/** @returns {Promise<{ status: number, body: string } | undefined>} */
async function ask(url, path) {
  // Whether it is up is all that is asked; nothing is sent that a certificate would protect.
  const options = { signal: AbortSignal.timeout(PROBE_LIMIT_MS), rejectUnauthorized: false };
  try {
    const answer = await begun(`${url}${path}`, options);
    return { status: answer.statusCode, body: await text(answer) };
  } catch (error) {
    if (error.code === undefined) throw error;
    return undefined;
  }
}

/** @returns {Promise<http.IncomingMessage>} an answer of which the head has come */
function begun(url, options) {
  const client = url.startsWith("https:") ? https : http;
  return new Promise((done, fail) => {
    client.get(url, { ...options, agent: false }, done).on("error", fail);
  });
}

const SETPRIV = "/usr/bin/setpriv";

/**
 * Starts the daemon; its log goes to `output`, by default where ours does. It is in a group of its own, so that Ctrl-C
 * reaches it once and through us, and is told to stop when this process is killed.
 * @returns {{ pid: number, exited: Promise<number>, stop(limitMs: number): Promise<number> }}
 *   `exited` resolves to the exit code (128 + signal number when a signal ended it)
 */
export function startDaemon(env, { output = "inherit", say = [] } = {}) {
  const program = [process.execPath, "dist/main.js", ...say];
  const [command, ...args] = existsSync(SETPRIV)
    ? [SETPRIV, "--pdeathsig", "TERM", ...program]
    : program;
  const child = spawn(command, args, {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", output, "inherit"],
  });
  const exited = new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (code, signal) => done(code ?? (signal === "SIGKILL" ? 137 : 143)));
  });
  const stop = async (limitMs) => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const code = await exited;
    clearTimeout(timer);
    return code;
  };
  return { pid: child.pid, exited, stop };
}

/**
 * Waits until the daemon is ready.
 * @returns {Promise<"ready" | "alive" | "exited">} `alive`: it runs, but waits for something
 */
export async function waitUntilReady(daemon, url, limitMs) {
  let exited = false;
  daemon.exited.then(() => {
    exited = true;
  });
  const deadline = Date.now() + limitMs;
  while (!exited && Date.now() < deadline) {
    if ((await probe(url, "/readyz")) === 200) return exited ? "exited" : "ready";
    await Promise.race([sleep(100), daemon.exited]);
  }
  return exited ? "exited" : "alive";
}

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The repository's top folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** A program that could not be started, or ended with another code than 0. */
export class CommandError extends Error {
  constructor(command, args, code, output = "") {
    super(`${[command, ...args].join(" ")} failed (${code})${output ? `:\n${output}` : ""}`);
    this.name = "CommandError";
    this.code = code;
    this.output = output;
  }
}

/**
 * Runs a program to its end, in a process group of its own: Ctrl-C is ours to handle, and must not
 * tear a switch's start or stop in two.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: object, show?: boolean, limitMs?: number, signal?: AbortSignal,
 *   onLine?: (line: string) => void }} options `show`: output goes to the terminal instead of into
 *   the answer; `onLine`: is told every line as it comes, of either stream
 * @returns {Promise<{ stdout: string, stderr: string }>}
 */
export function run(command, args, options = {}) {
  const { cwd = ROOT, env, show = false, limitMs, signal, onLine } = options;
  if (signal?.aborted) return Promise.reject(new CommandError(command, args, "not begun"));
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, ...env },
      stdio: show ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of show ? [] : ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        output[name] += text;
      });
      if (onLine) createInterface({ input: child[name] }).on("line", onLine);
    }
    const end = () => endGroup(child.pid);
    const timer = limitMs === undefined ? undefined : setTimeout(end, limitMs);
    signal?.addEventListener("abort", end);
    const settled = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    };
    child.on("error", (error) => {
      settled();
      fail(new CommandError(command, args, error.code ?? "cannot start", error.message));
    });
    child.on("close", (code, bySignal) => {
      settled();
      if (code === 0) done(output);
      else fail(new CommandError(command, args, code ?? bySignal, output.stderr || output.stdout));
    });
  });
}

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** @returns {Promise<boolean>} whether the program can be run and ends with 0 */
export async function succeeds(command, args, options = { limitMs: 5000 }) {
  try {
    await run(command, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/** Runs npm of the same installation that started us. */
export function npm(args, options) {
  const path = process.env.npm_execpath;
  const ours = path?.endsWith(".js") || path?.endsWith(".cjs");
  return ours ? run(process.execPath, [path, ...args], options) : run("npm", args, options);
}

/** @returns {boolean} whether a process runs; a zombie does not */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  return processState(pid)?.state !== "Z";
}

/**
 * @returns {{ state: string, startedAt: string } | undefined} from /proc; `startedAt` tells two
 *   processes with one number apart. Undefined where there is no /proc or no such process.
 */
export function processState(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], startedAt: fields[19] };
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
}

export const isRoot = () => process.getuid?.() === 0;

export const sleep = (ms) => new Promise((resolved) => setTimeout(resolved, ms));

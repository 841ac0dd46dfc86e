import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";

const SETPRIV = "/usr/bin/setpriv";
const STOP_LIMIT_MS = 5000;

/**
 * Starts a daemon in the foreground, as a child that dies with us even on `kill -9`, in a process
 * group of its own so that Ctrl-C is for us to handle. Its output goes into a file.
 * @returns {{ name: string, pid: number, check(): void }} `check` throws when it has ended
 */
export function startService(name, command, args, { env, log, undo }) {
  let stop;
  undo.add(() => stop?.());
  const words = existsSync(SETPRIV) ? [SETPRIV, "--pdeathsig", "KILL", command] : [command];
  const file = openSync(log, "a", 0o600);
  const child = spawn(words[0], [...words.slice(1), ...args], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  let failure;
  const exited = new Promise((done) => {
    child.on("error", (error) => {
      failure = error.message;
      done();
    });
    child.on("exit", (code, signal) => {
      failure ??= `ended (${signal ?? code})`;
      done();
    });
  });
  stop = () => failure ?? end(child, exited);
  const check = () => {
    if (failure) throw new Error(`${name} ${failure}:\n${lastLines(log)}`);
  };
  return { name, pid: child.pid, check };
}

/** Asks, and after a while insists. */
async function end(child, exited) {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

function lastLines(file) {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-15).join("\n") : "";
}

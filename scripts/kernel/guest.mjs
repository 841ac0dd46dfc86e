import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../lib/process.mjs";
import { follow } from "./follow.mjs";
import { withRoomForMaps } from "./maps.mjs";

const MEMORY_GIB = 4;
const LINES_OF_A_FAILURE = 15;
/** The descriptor that the guest's second console writes to. */
const CONSOLE = 3;
const OUTPUT = "output";
const KERNEL_LOG = "kernel.log";

/**
 * @typedef {object} Job
 * @property {string} script for bash, in the checkout; what it writes stays in the guest, but for
 *   what it puts into /host/share
 * @property {"plain" | "systemd"} [init] default: plain, a shell in its place
 * @property {number} [processor] of this machine, to run on that one alone
 * @property {number} limitMs
 * @property {(line: string) => void} onLine is told what the job prints
 * @property {AbortSignal} signal
 */

/**
 * Boots a guest, runs one job in it and ends it.
 * @param {{ kernel: string, disk: string, checkout?: string }} files `checkout`: default: this one
 * @param {Job} job
 * @param {(share: string) => T} [collect] reads what the job left in its share
 * @returns {Promise<{ code: number, collected: T }>} the job's exit code
 * @template T
 */
export async function runInGuest(files, job, collect = () => undefined) {
  const share = mkdtempSync(join(tmpdir(), "pbk-"));
  try {
    symlinkSync(files.checkout ?? ROOT, join(share, "checkout"));
    writeFileSync(join(share, "job.sh"), job.script);
    await withRoomForMaps(() => boot(files, share, job));
    return { code: exitCode(share), collected: collect(share) };
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
}

function exitCode(share) {
  const file = join(share, "code");
  if (existsSync(file)) return Number(readFileSync(file, "utf8"));
  const lines = readFileSync(join(share, KERNEL_LOG), "utf8").trimEnd().split("\n");
  throw new Error(
    `the guest ended without an answer:\n${lines.slice(-LINES_OF_A_FAILURE).join("\n")}`,
  );
}

async function boot({ kernel, disk }, share, job) {
  const { limitMs, onLine, signal } = job;
  signal.throwIfAborted();
  const words = openSync(join(share, KERNEL_LOG), "w");
  const said = openSync(join(share, OUTPUT), "w+");
  const child = spawn(...onProcessor(job.processor, kernel, kernelArguments(disk, share, job)), {
    cwd: share,
    detached: true,
    env: { ...process.env, TMPDIR: memoryFolder(share) },
    // Files: with a pipe of Node's, which is a socket, the guest stands still at its first word.
    stdio: ["ignore", words, words, said],
  });
  const following = follow(said, onLine);
  try {
    await ended(child, limitMs, signal);
  } finally {
    following.end();
    for (const file of [words, said]) closeSync(file);
  }
}

/**
 * The kernel's processes take turns at every system call and page fault of the guest: to wake one
 * another on one processor takes half the time of waking across two.
 */
function onProcessor(number, command, args) {
  return number === undefined
    ? [command, args]
    : ["taskset", ["-c", `${number}`, command, ...args]];
}

/** The disk itself is never written: what changes goes to a file of this guest. */
function kernelArguments(disk, share, { init = "plain" }) {
  return [
    `mem=${MEMORY_GIB}G`,
    `ubd0=${join(share, "disk")},${disk}`,
    "root=/dev/ubda",
    "rw",
    "con=null",
    "con0=null,fd:1",
    `con1=null,fd:${CONSOLE}`,
    "ssl=null",
    `umid=${share.slice(share.lastIndexOf("/") + 1)}`,
    `uml_dir=${share}`,
    `patchbay.share=${share}`,
    "panic=-1",
    "seccomp=on",
    `init=${init === "systemd" ? "/lib/systemd/systemd" : "/usr/local/sbin/patchbay-guest"}`,
  ];
}

/** The guest's memory is a file, best one that is itself in memory. */
function memoryFolder(share) {
  const { bavail, bsize } = statfsSync("/dev/shm");
  return bavail * bsize > MEMORY_GIB * 2 ** 30 ? "/dev/shm" : share;
}

function ended(child, limitMs, signal) {
  return new Promise((done, fail) => {
    let why;
    const stop = (reason) => {
      why ??= reason;
      endGroup(child.pid);
    };
    const timer = setTimeout(
      () => stop(new Error(`the guest took more than ${limitMs / 1000} s`)),
      limitMs,
    );
    const aborted = () => stop(signal.reason);
    signal.addEventListener("abort", aborted);
    child.on("error", fail);
    child.on("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      endGroup(child.pid);
      if (why === undefined) done();
      else fail(why);
    });
  });
}

/** The guest's processes are the kernel's children on the host, and do not end with it when it is killed. */
function endGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

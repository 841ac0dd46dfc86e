import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { databaseEngines } from "../../support/databases.js";

export const MAIN = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));
const START_LIMIT_MS = 30_000;

/** A built daemon in a process group of its own, in no-op mode unless told otherwise. */
export interface DaemonProcess {
  readonly pid: number;
  /** Resolves with the URL once it listens; rejects when it ends before. */
  readonly listening: Promise<string>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends a signal to the process, or to its whole group. */
  signal(name: NodeJS.Signals, to: "process" | "group"): void;
}

export interface DataDir {
  readonly path: string;
  operatorToken(): Promise<string>;
}

type Environment = Readonly<Record<string, string>>;

/** Spawns daemons and makes data directories, and removes whatever is left of them. */
export class DaemonNursery {
  readonly #children: ChildProcess[] = [];
  readonly #directories: string[] = [];

  /** A data directory with a migrated and empty database. */
  async dataDir(): Promise<DataDir> {
    const { dataDir: path } = await embedded().fresh();
    this.#directories.push(path);
    return dataDirAt(path);
  }

  /** One that holds nothing yet, for a database that is elsewhere. */
  async unusedDataDir(): Promise<DataDir> {
    return dataDirAt(await this.emptyDir());
  }

  /** An empty directory. */
  async emptyDir(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "patchbay-daemon-"));
    this.#directories.push(path);
    return path;
  }

  /**
   * @param how `descriptors`: how many it may have open, as many as the tests unless given;
   *   `main`: of another installation than this one
   */
  spawn(
    environment: Environment,
    { descriptors, main = MAIN }: { descriptors?: number; main?: string } = {},
  ): DaemonProcess {
    if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first`);
    const env = {
      PATH: process.env["PATH"] ?? "",
      PATCHBAY_LISTEN: "127.0.0.1:0",
      PATCHBAY_BACKEND: "noop",
      ...environment,
    };
    const [program = "", ...args] = [...limited(descriptors), process.execPath, main];
    const child = spawn(program, args, { env, detached: true });
    this.#children.push(child);
    return observe(child);
  }

  async clear(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    }
    for (const path of this.#directories.splice(0)) await rm(path, { recursive: true });
  }
}

/** The program that starts another one with so many descriptors, and becomes it. */
function limited(descriptors: number | undefined): string[] {
  return descriptors === undefined ? [] : ["prlimit", `--nofile=${descriptors}`];
}

function embedded() {
  const engine = databaseEngines.find(({ name }) => name === "pglite");
  if (engine === undefined) throw new Error("there is no embedded engine");
  return engine;
}

function observe(child: ChildProcess): DaemonProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error("the daemon could not be spawned");
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stdout?.on("data", (chunk) => void stdout.push(String(chunk)));
  child.stderr?.on("data", (chunk) => void stderr.push(String(chunk)));
  const ended = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? "?"));
  });
  const listening = listeningUrl(child, () => stdout.join(""));
  // Whoever expects the start to fail looks at `ended` only.
  listening.catch(() => undefined);
  return {
    pid,
    ended,
    listening,
    stdout: () => stdout.join(""),
    stderr: () => stderr.join(""),
    signal: (name, to) => void process.kill(to === "group" ? -pid : pid, name),
  };
}

function listeningUrl(child: ChildProcess, stdout: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`no start:\n${stdout()}`)), START_LIMIT_MS);
    child.stdout?.on("data", () => {
      const line = stdout()
        .split("\n")
        .find((text) => text.includes('"msg":"listening"'));
      if (line === undefined) return;
      clearTimeout(limit);
      resolve(JSON.parse(line).url);
    });
    child.once("exit", () => {
      clearTimeout(limit);
      reject(new Error(`ended before it listened:\n${stdout()}`));
    });
  });
}

function dataDirAt(path: string): DataDir {
  const file = join(path, "operator-token");
  return { path, operatorToken: async () => (await readFile(file, "utf8")).trim() };
}

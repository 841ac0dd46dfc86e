import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./lock-file.js";

const GREETED_LIMIT_MS = 90_000;

export const END_OF_GREETING = "Ctrl-C\n\n";

/** @returns where the greeting says that the API is, without `/v1` */
export const urlIn = (output: string) => /API +(http:\S+)\/v1/.exec(output)?.[1] ?? "";

/** What `npm run up` wrote, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A running `npm run up`. */
export interface UpRun {
  readonly pid: number;
  /** Both streams, in the order in which they came. */
  output(): string;
  /** Resolves once the output has this text; rejects when the run ends before. */
  said(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
  stop(): Promise<Ended>;
}

/** Runs `npm run up` on data directories of their own, in no-op mode, and ends what is left. */
export class UpRuns {
  readonly #runs: { readonly child: ChildProcess; readonly ended: Promise<Ended> }[] = [];
  readonly #directories: string[] = [];
  readonly #template: string;

  /** @param template a data directory with a migrated and empty database */
  constructor(template: string) {
    this.#template = template;
  }

  async emptyDir(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "patchbay-up-"));
    this.#directories.push(path);
    return path;
  }

  /** One with a migrated and empty database, which takes seconds to make. */
  async dataDir(): Promise<string> {
    const dataDir = await this.emptyDir();
    await cp(this.#template, dataDir, { recursive: true });
    return dataDir;
  }

  /** @param through a program, with arguments, that becomes it */
  start(environment: Readonly<Record<string, string>>, through: readonly string[] = []): UpRun {
    const [program = "", ...args] = [...through, process.execPath, "scripts/up.mjs"];
    const env = { PATH: process.env["PATH"] ?? "", ...environment };
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const run = observe(child);
    this.#runs.push({ child, ended: run.ended });
    return run;
  }

  async clear(): Promise<void> {
    for (const { child, ended } of this.#runs.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    }
    for (const path of this.#directories.splice(0)) await rm(path, { recursive: true });
  }
}

/** @returns the files of a data directory that may not be there */
export async function filesIn(dataDir: string): Promise<string[]> {
  return readdir(dataDir).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

function observe(child: ChildProcess): UpRun {
  const { pid } = child;
  if (pid === undefined) throw new Error("it could not be spawned");
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why} before "${text}":\n${output}`));
      const limit = setTimeout(() => fail("90 s passed"), GREETED_LIMIT_MS);
      const look = () => {
        if (!output.includes(text)) return;
        clearTimeout(limit);
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      void ended.then(() => {
        clearTimeout(limit);
        fail("it ended");
      });
    });
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return { pid, output: () => output, said, ended, stop };
}

import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommandError, type CommandFailure, type Exec, exec } from "./exec.js";

/** A program to start. */
export interface ExecRequest {
  readonly id: number;
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin: string;
}

export type ExecAnswer = { readonly id: number } & (
  | { readonly stdout: string }
  | { readonly failure: CommandFailure }
);

interface Waiting {
  readonly overdue: NodeJS.Timeout;
  resolve(stdout: string): void;
  reject(error: Error): void;
}

/** The helper ends programs itself, sooner than this: who is silent for so long hangs. */
const LIMIT_MS = 12_000;

/** Only there in the built program: tests run the sources, and start programs themselves. */
const PROGRAM = fileURLToPath(new URL("./exec-helper-main.js", import.meta.url));

/**
 * Starts programs from a small process that it keeps beside the daemon. Starting one means copying
 * the page tables of the process that does it, with everything at a standstill: with the embedded
 * database in memory that took 30 ms for each ovs-ofctl, and takes 1 ms from a process that is small.
 * The helper has a process group of its own, and ends with the daemon, however that ends.
 */
export class ExecHelper {
  readonly #program: string;
  readonly #limitMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #running = false;
  #nextId = 0;

  constructor(program = PROGRAM, limitMs = LIMIT_MS) {
    this.#program = program;
    this.#limitMs = limitMs;
  }

  start(): void {
    this.#running = existsSync(this.#program);
    if (this.#running) this.#child = this.#spawn();
  }

  /** Programs that are running go on to their end. */
  stop(): void {
    this.#running = false;
    this.#child?.disconnect();
    this.#child = undefined;
  }

  readonly exec: Exec = (program, args, stdin = "") => {
    if (!this.#running) return exec(program, args, stdin);
    this.#child ??= this.#spawn();
    const child = this.#child;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const overdue = setTimeout(() => this.#abandon(child), this.#limitMs);
      this.#waiting.set(id, { overdue, resolve, reject });
      child.send({ id, program, args, stdin } satisfies ExecRequest, (error) => {
        if (error !== null) this.#settle({ id, failure: lostFailure(program) });
      });
    });
  };

  #spawn(): ChildProcess {
    const child = fork(this.#program, [], {
      detached: true,
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.on("message", (answer) => this.#settle(answer as ExecAnswer));
    child.on("error", () => this.#lose(child));
    child.on("exit", () => this.#lose(child));
    return child;
  }

  #settle(answer: ExecAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    clearTimeout(waiting?.overdue);
    if ("stdout" in answer) waiting?.resolve(answer.stdout);
    else waiting?.reject(new CommandError(answer.failure));
  }

  #abandon(child: ChildProcess): void {
    child.kill("SIGKILL");
    this.#lose(child);
  }

  /** What it was doing may or may not have been done; the next request starts another one. */
  #lose(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const id of [...this.#waiting.keys()]) this.#settle({ id, failure: lostFailure("") });
  }
}

function lostFailure(command: string): CommandFailure {
  const message = "the process that starts programs ended before the program did";
  return { message, command, exitCode: undefined, stderr: "", hopeless: false };
}

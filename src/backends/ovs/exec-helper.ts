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
  readonly overdue?: NodeJS.Timeout;
  resolve(stdout: string): void;
  reject(error: unknown): void;
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
  #stopped = false;
  #nextId = 0;

  constructor(program = PROGRAM, limitMs = LIMIT_MS) {
    this.#program = program;
    this.#limitMs = limitMs;
  }

  start(): void {
    this.#stopped = false;
    this.#running = existsSync(this.#program);
    if (this.#running) this.#child = this.#spawn();
  }

  /** Programs that are running go on to their end, of which nobody is told any more. */
  stop(): void {
    this.#running = false;
    this.#stopped = true;
    this.#child?.disconnect();
    this.#child = undefined;
    this.#failAll(STOPPED);
  }

  readonly exec: Exec = (program, args, stdin = "") => {
    if (this.#stopped) return Promise.reject(new CommandError(failure(STOPPED, program)));
    const request = { id: this.#nextId++, program, args, stdin };
    return new Promise((resolve, reject) => {
      if (this.#running) this.#send(request, { resolve, reject });
      else this.#startOurselves(request, { resolve, reject });
    });
  };

  #send(request: ExecRequest, caller: Waiting): void {
    this.#child ??= this.#spawn();
    const child = this.#child;
    const overdue = setTimeout(() => this.#abandon(child), this.#limitMs);
    this.#waiting.set(request.id, { ...caller, overdue });
    const { id, program } = request;
    child.send(request, (error) => {
      if (error !== null) this.#settle({ id, failure: failure(LOST, program) });
    });
  }

  #startOurselves({ id, program, args, stdin }: ExecRequest, caller: Waiting): void {
    this.#waiting.set(id, caller);
    exec(program, args, stdin).then(
      (stdout) => this.#settle({ id, stdout }),
      (error: unknown) => {
        this.#waiting.delete(id);
        caller.reject(error);
      },
    );
  }

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
    this.#failAll(LOST);
  }

  #failAll(message: string): void {
    for (const id of [...this.#waiting.keys()]) this.#settle({ id, failure: failure(message, "") });
  }
}

const LOST = "the process that starts programs ended before the program did";
const STOPPED = "no program is started or waited for any more: the daemon stops";

function failure(message: string, command: string): CommandFailure {
  return { message, command, exitCode: undefined, stderr: "", hopeless: false };
}

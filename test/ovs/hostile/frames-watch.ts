import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../support/rest.js";

const PROGRAM = fileURLToPath(new URL("frames_watch.py", import.meta.url));
/** Debian's, whatever else is in PATH. */
const PYTHON = "/usr/bin/python3";
const START_LIMIT_MS = 15_000;

/** See frames_watch.py. */
export type WatchMode = "stack" | "wire" | "services";

export interface Watched {
  readonly device: string;
  /** From the Ethernet header on; in mode "services" from the IP header or its payload on. */
  readonly frame: Buffer;
}

interface Line {
  readonly ready?: true;
  readonly device?: string;
  readonly frame?: string;
}

/** Everything that comes in somewhere, from the moment when it was started. */
export class Watch {
  readonly #program: ChildProcess;
  #seen: Watched[] = [];
  #ready = false;
  #errors = "";

  private constructor(command: string, args: readonly string[]) {
    this.#program = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const { stdout, stderr } = this.#program;
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    if (stdout !== null) createInterface(stdout).on("line", (line) => this.#note(line));
  }

  /**
   * @param netns where; null for the host's own network namespace
   * @param devices which; none for all, in mode "wire" only
   */
  static async start(netns: string | null, mode: WatchMode, devices: readonly string[] = []) {
    const program = [PYTHON, PROGRAM, mode, ...devices];
    const [command = PYTHON, ...args] =
      netns === null ? program : ["ip", "netns", "exec", netns, ...program];
    const watch = new Watch(command, args);
    const ready = () => watch.#ready;
    await waitFor(ready, START_LIMIT_MS, "frames_watch.py").catch((error: unknown) => {
      throw new Error(`frames_watch.py does not start: ${watch.#errors}`, { cause: error });
    });
    return watch;
  }

  get seen(): readonly Watched[] {
    return this.#seen;
  }

  /** @returns what has come in since the last time */
  take(): Watched[] {
    return this.#seen.splice(0);
  }

  async stop(): Promise<void> {
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return;
    const gone = once(this.#program, "exit");
    this.#program.kill("SIGKILL");
    await gone;
  }

  #note(text: string): void {
    const { ready, device, frame }: Line = JSON.parse(text);
    if (ready === true) this.#ready = true;
    if (device === undefined || frame === undefined) return;
    this.#seen.push({ device, frame: Buffer.from(frame, "hex") });
  }
}

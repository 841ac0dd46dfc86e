import { ExecaError, execa } from "execa";

const LIMIT_MS = 10_000;
const KILL_AFTER_MS = 500;

const PACKAGES: Readonly<Record<string, string>> = {
  "ovs-ofctl": "install Open vSwitch (Debian: apt-get install openvswitch-switch)",
};

/** A program did not do what it was started for; the message is written for an operator. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly command: string;
  /** Undefined when it was not found, or ended by a signal or for lack of time. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** Whether there is no point in trying it on the next bridge: it is not there, or it hangs. */
  readonly hopeless: boolean;

  constructor(error: ExecaError, program: string) {
    const missing = error.code === "ENOENT";
    super(missing ? missingMessage(program) : failureMessage(error, program), { cause: error });
    this.command = error.command;
    this.exitCode = error.exitCode;
    this.stderr = String(error.stderr ?? "");
    this.hopeless = missing || error.timedOut;
  }
}

/** Runs a program with an argument array and text on its standard input; resolves to its output. */
export type Exec = (program: string, args: readonly string[], stdin?: string) => Promise<string>;

/**
 * The one place where programs are started: no shell, a time limit, and a process group of their
 * own, so that a signal to the daemon's group does not end a bundle half-way.
 * @throws CommandError
 */
export const exec: Exec = async (program, args, stdin = "") => {
  try {
    const { stdout } = await execa(program, args, {
      input: stdin,
      timeout: LIMIT_MS,
      forceKillAfterDelay: KILL_AFTER_MS,
      detached: true,
      cleanup: false,
    });
    return stdout;
  } catch (error) {
    if (error instanceof ExecaError) throw new CommandError(error, program);
    throw error;
  }
};

function missingMessage(program: string): string {
  return `${program} was not found; ${PACKAGES[program] ?? "install it"}`;
}

function failureMessage(error: ExecaError, program: string): string {
  if (error.timedOut) return `${program} did not end within ${LIMIT_MS / 1000} s`;
  const end = error.signal === undefined ? `exit code ${error.exitCode}` : error.signal;
  const said = String(error.stderr ?? "").trim();
  return `${program} failed (${end})${said === "" ? "" : `: ${said}`}`;
}

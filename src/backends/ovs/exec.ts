import { ExecaError, execa } from "execa";

const LIMIT_MS = 10_000;
const KILL_AFTER_MS = 500;

const PACKAGES: Readonly<Record<string, string>> = {
  "ovs-ofctl": "install Open vSwitch (Debian: apt-get install openvswitch-switch)",
};

/** What is known of a program that failed; plain data, so that a process can hand it to another. */
export interface CommandFailure {
  /** For an operator. */
  readonly message: string;
  readonly command: string;
  /** Undefined when it was not found, or ended by a signal or for lack of time. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** Whether there is no point in trying it on the next bridge: it is not there, or it hangs. */
  readonly hopeless: boolean;
}

/** A program did not do what it was started for. */
export class CommandError extends Error implements CommandFailure {
  override readonly name = "CommandError";
  readonly command: string;
  readonly exitCode: number | undefined;
  readonly stderr: string;
  readonly hopeless: boolean;

  constructor({ message, command, exitCode, stderr, hopeless }: CommandFailure) {
    super(message);
    this.command = command;
    this.exitCode = exitCode;
    this.stderr = stderr;
    this.hopeless = hopeless;
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
    if (error instanceof ExecaError) throw new CommandError(describeFailure(error, program));
    throw error;
  }
};

function describeFailure(error: ExecaError, program: string): CommandFailure {
  const missing = error.code === "ENOENT";
  return {
    message: missing
      ? `${program} was not found; ${PACKAGES[program] ?? "install it"}`
      : failureMessage(error, program),
    command: error.command,
    exitCode: error.exitCode,
    stderr: String(error.stderr ?? ""),
    hopeless: missing || tookTooLong(error),
  };
}

/** By our own limit, or by one that the program was given (`--timeout` of ovs-ofctl). */
function tookTooLong({ timedOut, signal }: ExecaError): boolean {
  return timedOut || signal === "SIGALRM";
}

function failureMessage(error: ExecaError, program: string): string {
  if (error.signal === "SIGALRM") return `${program} did not end in the time that it was given`;
  if (error.timedOut) return `${program} did not end within ${LIMIT_MS / 1000} s`;
  const end = error.signal === undefined ? `exit code ${error.exitCode}` : error.signal;
  const said = String(error.stderr ?? "").trim();
  return `${program} failed (${end})${said === "" ? "" : `: ${said}`}`;
}

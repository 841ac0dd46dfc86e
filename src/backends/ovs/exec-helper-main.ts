/** The program of the process that `ExecHelper` keeps: it starts programs on request. */

import { CommandError, type CommandFailure, exec } from "./exec.js";
import type { ExecAnswer, ExecRequest } from "./exec-helper.js";

type StartRequest = Extract<ExecRequest, { program: string }>;

const awaitingInput = new Map<number, (text: string) => void>();

process.on("message", (message) => {
  const request = message as ExecRequest;
  if ("program" in request) void answer(request);
  else awaitingInput.get(request.id)?.(request.stdin);
});

/** Once the daemon is gone nobody wants the answer, but the program is still seen to its end. */
async function answer({ id, program, args }: StartRequest): Promise<void> {
  const stdin = new Promise<string>((resolve) => awaitingInput.set(id, resolve));
  const reply = await run(program, args, stdin);
  awaitingInput.delete(id);
  if (process.connected) process.send?.({ id, ...reply } satisfies ExecAnswer);
}

async function run(
  program: string,
  args: readonly string[],
  stdin: Promise<string>,
): Promise<{ stdout: string } | { failure: CommandFailure }> {
  try {
    return { stdout: await exec(program, args, stdin) };
  } catch (error) {
    return { failure: describe(error, program) };
  }
}

function describe(error: unknown, program: string): CommandFailure {
  if (error instanceof CommandError) {
    const { message, command, exitCode, stderr, hopeless } = error;
    return { message, command, exitCode, stderr, hopeless };
  }
  const message = `${program} could not be started: ${String(error)}`;
  return { message, command: program, exitCode: undefined, stderr: "", hopeless: false };
}

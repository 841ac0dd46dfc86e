/** The program of the process that `ExecHelper` keeps: it starts programs on request. */

import { CommandError, type CommandFailure, exec } from "./exec.js";
import type { ExecAnswer, ExecRequest } from "./exec-helper.js";

/** Said to the whole unit or session, they are meant for the daemon. */
for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => {});

process.on("message", (message) => void answer(message as ExecRequest));

/** Once the daemon is gone nobody wants the answer, but the program is still seen to its end. */
async function answer({ id, ...request }: ExecRequest): Promise<void> {
  const reply = await run(request);
  if (process.connected) process.send?.({ id, ...reply } satisfies ExecAnswer);
}

async function run({
  program,
  args,
  stdin,
}: Omit<ExecRequest, "id">): Promise<{ stdout: string } | { failure: CommandFailure }> {
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

import { note } from "./terminal.mjs";
import { Undo } from "./undo.mjs";

/**
 * Runs a benchmark's program: a failure is told and is its exit code, a signal ends it between two
 * steps, so that whatever it has made can still be removed.
 * @param {(signal: AbortSignal) => Promise<unknown>} main
 */
export async function runBench(main) {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => stopping.abort(new Error(`stopped by ${name}`)));
  }
  try {
    await main(stopping.signal);
  } catch (error) {
    note(stopping.signal.aborted ? stopping.signal.reason.message : (error.stack ?? String(error)));
    process.exitCode = 1;
  }
}

/** Does some work, and removes what it has made however it ends. */
export async function withUndo(work) {
  const undo = new Undo();
  try {
    return await work(undo);
  } finally {
    if ((await undo.run()) > 0) process.exitCode = 1;
  }
}

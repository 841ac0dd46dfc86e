import { CommandError } from "../lib/process.mjs";
import { sandboxRuns, startSandbox } from "../lib/switch.mjs";
import { note } from "../lib/terminal.mjs";

const WATCH_EVERY_MS = 1000;

/** Starts again whatever of a private switch is killed. @returns {{ end(): Promise<void> }} `end` waits for a start under way */
export function keepSandboxRunning(dir) {
  let work = Promise.resolve();
  let busy = false;
  const check = async () => {
    if (busy || sandboxRuns(dir)) return;
    busy = true;
    note("a daemon of the private Open vSwitch is gone; starting it again");
    try {
      await startSandbox(dir);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      note(error.message);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => {
    work = work.then(check);
  }, WATCH_EVERY_MS);
  return {
    end: () => {
      clearInterval(timer);
      return work;
    },
  };
}

import { createInterface } from "node:readline";
import type { Host } from "../support/netns.js";

/** Debian's, whatever else is in PATH. */
const PYTHON = "/usr/bin/python3";

/** A program in a host that answers each line it is sent by one line. */
export interface Program {
  /** Sends a line and resolves to the one that it answers with; rejects once it has ended. */
  ask(line: string): Promise<string>;
  end(): void;
}

/**
 * Starts Python in a host and waits for its first line, `ready`.
 * @param args those of python3: `-c` and a script, or a file and what it takes
 * @throws Error with what it said when it ends before
 */
export async function startPython(host: Host, ...args: string[]): Promise<Program> {
  const child = host.spawn(PYTHON, ...args);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const read = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error(`a program in ${host.netns} has ended: ${errors}`);
    return value;
  };
  await read();
  return {
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return read();
    },
    end: () => void child.kill("SIGKILL"),
  };
}

import { cpus, loadavg, release, totalmem } from "node:os";
import { CommandError, run } from "./process.mjs";

/** What a reader of figures must know of the machine; its name is nobody's business. */
export function machineFacts() {
  return {
    node: process.versions.node,
    kernel: release(),
    cpus: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
    loadBefore: loadOfLastMinute(),
  };
}

export const loadOfLastMinute = () => Number(loadavg()[0].toFixed(2));

/** @returns {Promise<string | undefined>} what it says of itself; undefined when it is not there */
export async function versionOf(program) {
  try {
    return /(\d+\.\d+[\d.]*)/.exec((await run(program, ["--version"])).stdout)?.[1];
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

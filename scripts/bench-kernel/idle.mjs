import { readFileSync } from "node:fs";
import { sleep } from "../lib/process.mjs";

const WATCHED_MS = 5000;

/** What all that runs takes of the processors while nothing is measured, in per cent of one. */
export async function idleShare() {
  const before = reading();
  await sleep(WATCHED_MS);
  const after = reading();
  return Number(((100 * 10 * (after.busy - before.busy)) / (after.at - before.at)).toFixed(1));
}

/** Ticks of 10 ms that were neither idle nor spent waiting for a disk (proc(5), `cpu`). */
function reading() {
  const [first] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const [user, nice, system, , , irq, softirq] = first.split(/\s+/).slice(1).map(Number);
  return { at: performance.now(), busy: user + nice + system + irq + softirq };
}

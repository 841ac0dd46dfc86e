import { readFileSync } from "node:fs";

/** Ticks a second of the times in /proc: 100 on every Linux that this runs on. */
const TICK_MS = 10;

/** @returns {{ rssMiB: number, peakMiB: number }} of one process, as the kernel counts them */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)[1]) / 1024;
  return { rssMiB: Math.round(mib("VmRSS")), peakMiB: Math.round(mib("VmHWM")) };
}

/** @returns {number} ms that a process has computed, ended children of it included */
export function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), which counts from 1.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

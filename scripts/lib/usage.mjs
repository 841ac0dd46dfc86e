import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second of the times in /proc: 100 on every Linux that this runs on. */
const TICK_MS = 10;

/**
 * CPU time that each process has used, children that it has waited for included; processes that
 * it started and that still run are counted with it.
 * @param {{ name: string, pid: number }[]} processes
 * @returns {Map<string, number>} milliseconds, by name
 */
export function cpuTimes(processes) {
  return summed(processes, (pid) => {
    const stat = read(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), which counts from 1.
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
  });
}

/**
 * CPU time of a process's own threads, by the scheduler's count: finer than ticks, and a busy
 * machine does not add to it.
 * @returns {number} milliseconds
 */
export function cpuMs(pid) {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((id) => {
    return Number(read(`${tasks}/${id}/schedstat`).split(" ")[0]);
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** Proportional set size (PSS) of each process, in MiB: pages that several share count once. */
export function memory(processes) {
  return summed(processes, (pid) => {
    const [, kib = 0] = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? [];
    return Number(kib) / 1024;
  });
}

export const total = (byName) => [...byName.values()].reduce((sum, value) => sum + value, 0);

/** @returns {Map<string, number>} what was added between two readings */
export function difference(before, after) {
  return new Map(Array.from(after, ([name, value]) => [name, value - (before.get(name) ?? 0)]));
}

function summed(processes, measure) {
  return new Map(
    processes.map(({ name, pid }) => [
      name,
      [pid, ...descendants(pid)].reduce((sum, each) => sum + orNothing(() => measure(each)), 0),
    ]),
  );
}

function descendants(pid) {
  const threads = orNothing(() => readdirSync(`/proc/${pid}/task`)) || [];
  const children = threads.flatMap((thread) =>
    (orNothing(() => read(`/proc/${pid}/task/${thread}/children`)) || "")
      .split(" ")
      .filter(Boolean),
  );
  return children.flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

const read = (file) => readFileSync(file, "utf8");

/** A process that has ended meanwhile has nothing left to read. */
function orNothing(work) {
  try {
    return work();
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return 0;
    throw error;
  }
}

import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { cpuTimes, total } from "../lib/usage.mjs";

const TICK_MS = 10;

/**
 * Watches how much of the machine others take while something is measured: who reads the figures
 * must know, for the side that needs more CPU suffers more from a neighbour.
 * @param {object[]} sides
 * @returns {() => number} per cent of all CPUs that went to neither side nor to the benchmark
 */
export function watchOthers(sides) {
  const start = reading(sides);
  return () => {
    const end = reading(sides);
    const others = end.busyMs - start.busyMs - (end.oursMs - start.oursMs);
    const capacity = (end.at - start.at) * cpus().length;
    return Number(Math.max(0, (100 * others) / capacity).toFixed(1));
  };
}

function reading(sides) {
  // The benchmark is the parent of everything it has made but what a switch's script detached.
  const own = cpuTimes([{ name: "benchmark", pid: process.pid }]);
  const switches = sides.flatMap((side) => side.processes()).filter(({ detached }) => detached);
  const oursMs = total(own) + switches.reduce((sum, each) => sum + total(cpuTimes([each])), 0);
  return { at: performance.now(), busyMs: busyMs(), oursMs };
}

/** All CPU time of the machine that was neither idle nor waiting for a disk (proc(5), `cpu`). */
function busyMs() {
  const [first] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const [user, nice, system, , , irq, softirq, steal] = first.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}

import { performance } from "node:perf_hooks";
import { out } from "./terminal.mjs";

/** Milliseconds that `work` takes, and its answer. */
export async function timed(work) {
  const start = performance.now();
  const value = await work();
  return { value, ms: performance.now() - start };
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

export const inMs = (value) => `${value.toFixed(1)} ms`;

/** @param {string[][]} rows the first is the heading */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    out(`  ${cells.join("   ")}`);
  }
  out();
}

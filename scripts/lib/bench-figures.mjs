import { performance } from "node:perf_hooks";
import { out } from "./terminal.mjs";

/** Milliseconds that `work` takes, and its answer. */
export async function timed(work) {
  const start = performance.now();
  const value = await work();
  return { value, ms: performance.now() - start };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** @param {number} share 0.9 for the least value that nine of ten do not exceed */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** The figures of some repeated measurement that a report quotes, and every value. */
export function summary(values) {
  const rounded = (value) => Number(value.toFixed(3));
  return {
    median: rounded(median(values)),
    p99: rounded(percentile(values, 0.99)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
    values: values.map(rounded),
  };
}

export const inMs = (value) => `${value.toFixed(1)} ms`;

/**
 * Cells as lines, in columns that are as wide as they have to be.
 * @param {string[][]} rows the first is the heading
 * @returns {string[]}
 */
export function inColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    return cells.join("   ").trimEnd();
  });
}

/** Prints rows, the first of which is the heading. */
export function table(rows) {
  for (const line of inColumns(rows)) out(`  ${line}`);
  out();
}

import { inColumns } from "../lib/bench-figures.mjs";

const HEADING = ["median", "p99", "runs", "beside", "its median", "ratio", "aim"];
/** Digits after which a figure says more about chance than about the program. */
const SIGNIFICANT = 3;

/**
 * What one part of the benchmark has found, or why it was left out.
 * @typedef {{ title: string, rows: import("./rows.mjs").Row[], skipped?: string }} Section
 */

/**
 * @param {Section} section
 * @returns {string[]} lines for a terminal
 */
export function textTable({ title, rows, skipped }) {
  if (skipped !== undefined) return [`${title}: SKIPPED: ${skipped}`];
  return inColumns([[title, ...HEADING], ...rows.map(cells)]);
}

/**
 * @param {Section} section
 * @returns {string[]} the same for docs/benchmarks.md
 */
export function markdownTable({ title, rows, skipped }) {
  if (skipped !== undefined) return [`To be measured: ${skipped}.`];
  const lines = [[title, ...HEADING], HEADING.map(() => "---:"), ...rows.map(cells)];
  lines[1].unshift("---");
  return lines.map((line) => `| ${line.join(" | ")} |`);
}

function cells({ name, unit, median, p99, runs, beside, ratio, aim, met }) {
  return [
    `${name}, ${unit}`,
    figure(median),
    figure(p99),
    String(runs),
    beside?.name ?? "",
    beside === undefined ? "" : figure(beside.median),
    ratio === undefined ? "" : ratio.toFixed(2),
    aim === undefined ? "" : `${aim} ${met ? "met" : "MISSED"}`,
  ];
}

/** Three significant digits; whole numbers are not rounded further. */
export function figure(value) {
  const whole = Math.abs(value) >= 10 ** (SIGNIFICANT - 1);
  if (whole) return Math.round(value).toLocaleString("en-US");
  return value === 0 ? "0" : value.toPrecision(SIGNIFICANT);
}

/**
 * @param {{ rows?: import("./rows.mjs").Row[] }[]} sections
 * @returns {string[]} a line for each aim that was missed, or that none was
 */
export function verdict(sections) {
  const rows = sections.flatMap(({ rows: all = [] }) => all).filter(({ aim }) => aim !== undefined);
  const missed = rows.filter(({ met }) => !met);
  if (missed.length === 0) return [`Aims met: ${rows.length} of ${rows.length}.`];
  return [
    `Aims MISSED: ${missed.length} of ${rows.length}:`,
    ...missed.map(({ name, ratio, median, aim }) => {
      return `  ${name}: ${(ratio ?? median).toFixed(2)}, where ${aim} was aimed at`;
    }),
  ];
}

import { median, percentile } from "../lib/bench-figures.mjs";

/**
 * What was found, as a row of the table.
 * @typedef {object} Row
 * @property {string} name
 * @property {string} unit
 * @property {"lower" | "higher"} better which figures are good ones
 * @property {number} median
 * @property {number} p99 the figure that 99 of 100 runs reach or are better than
 * @property {number} runs
 * @property {{ name: string, median: number }} [beside] what it is compared with, measured in turn
 * @property {number} [ratio] of the row to `beside`: the median of the ratios of single runs, for
 *   what disturbs a machine lasts longer than one run and meets both
 * @property {string} [aim] what the ratio, or without one the median, should be
 * @property {boolean} [met] whether it is
 */

/**
 * @param {object} found
 * @param {string} found.name
 * @param {string} found.unit
 * @param {number[]} found.values one a run
 * @param {"lower" | "higher"} [found.better]
 * @param {{ name: string, values: number[] }} [found.beside] one a run, in the same order
 * @param {{ atMost: number } | { atLeast: number }} [found.aim]
 * @returns {Row}
 */
export function makeRow({ name, unit, values, better = "lower", beside, aim }) {
  const row = {
    name,
    unit,
    better,
    median: median(values),
    p99: percentile(values, better === "lower" ? 0.99 : 0.01),
    runs: values.length,
  };
  if (beside !== undefined) {
    row.beside = { name: beside.name, median: median(beside.values) };
    row.ratio = ratioOf(values, beside.values);
  }
  return aim === undefined ? row : { ...row, ...judge(row.ratio ?? row.median, aim) };
}

function ratioOf(values, others) {
  if (values.length !== others.length) {
    throw new Error(`${values.length} runs cannot be compared with ${others.length}`);
  }
  return median(values.map((value, run) => value / others[run]));
}

function judge(figure, { atMost, atLeast }) {
  if (atMost !== undefined) return { aim: `≤ ${atMost}`, met: figure <= atMost };
  return { aim: `≥ ${atLeast}`, met: figure >= atLeast };
}

/**
 * Measures sides in turn, and lets each of them begin as often as the other.
 * @param {number} runs of each side
 * @param {Record<string, (run: number) => Promise<number>>} sides each measures once
 * @returns {Promise<Record<string, number[]>>} a value a run, by side
 */
export async function inTurn(runs, sides) {
  const names = Object.keys(sides);
  const found = Object.fromEntries(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    const order = run % 2 === 0 ? names : names.toReversed();
    for (const name of order) found[name].push(await sides[name](run));
  }
  return found;
}

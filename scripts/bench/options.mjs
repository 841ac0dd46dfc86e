import { parseArgs } from "node:util";

export const USAGE = `npm run bench -- [OPTION...]         (the switch's sections need root; build first)
  --runs N         runs of every measurement (30)
  --seconds N      of one run that measures a rate (2)
  --bridges LIST   numbers of VPC bridges at which an accept is timed, ascending (2,100,300)
  --quick          2 runs of 1 s, few bridges and flows: whether it works, not how fast
  --only LIST      some sections of those named below
  --json           JSON on standard output; the tables go to standard error
  --markdown       tables as docs/benchmarks.md has them
  --output FILE    JSON into a file`;

const FULL = { runs: "30", seconds: "2", bridges: "2,100,300" };
const QUICK = { runs: "2", seconds: "1", bridges: "2,6" };

/**
 * @typedef {object} Options
 * @property {number} runs
 * @property {number} seconds
 * @property {number[]} bridges
 * @property {boolean} quick
 * @property {string[]} only names of sections, in their own order
 * @property {boolean} json
 * @property {boolean} markdown
 * @property {string | undefined} output
 * @property {boolean} help
 */

/**
 * @param {string[]} args
 * @param {string[]} sections the names there are
 * @returns {Options} throws a sentence for people when the arguments make no sense
 */
export function readOptions(args, sections) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const set = { ...(values.quick ? QUICK : FULL), ...values };
  const wanted = values.only?.split(",") ?? sections;
  const unknown = wanted.find((name) => !sections.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: none of ${sections.join(", ")}`);
  const bridges = set.bridges.split(",").map((text) => whole("--bridges", text, 2));
  return {
    runs: whole("--runs", set.runs, 1),
    seconds: whole("--seconds", set.seconds, 1),
    bridges: bridges.sort((a, b) => a - b),
    quick: values.quick === true,
    only: sections.filter((name) => wanted.includes(name)),
    json: values.json === true,
    markdown: values.markdown === true,
    output: values.output,
    help: values.help === true,
  };
}

const OPTIONS = {
  runs: { type: "string" },
  seconds: { type: "string" },
  bridges: { type: "string" },
  quick: { type: "boolean" },
  only: { type: "string" },
  json: { type: "boolean" },
  markdown: { type: "boolean" },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
};

/** Far beyond what anybody would wait for. */
const MOST = 10_000;

function whole(name, text, least) {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= MOST) return number;
  throw new Error(`${name} ${text}: expected a whole number from ${least} to ${MOST}`);
}

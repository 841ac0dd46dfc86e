import { parseArgs } from "node:util";

export const USAGE = `npm run bench:fairness -- [OPTION...]        (build first)
  --seconds N      of each window, idle and under attack (10)
  --rounds N       windows of both kinds for each scenario, in turn (3)
  --postgres       on PostgreSQL, where its programs or DATABASE_URL are; embedded otherwise
  --no-rate-limit  the daemon limits no request rates: the turns alone
  --quick          1 window of 2 s each: whether it works, not how it is
  --only LIST      some of the scenarios
  --output FILE    JSON into a file`;

/** @throws Error a sentence for people, when the arguments make no sense */
export function readOptions(args, scenarios) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const set = { ...(values.quick ? QUICK : FULL), ...values };
  const wanted = values.only?.split(",") ?? scenarios;
  const unknown = wanted.find((name) => !scenarios.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: none of ${scenarios.join(", ")}`);
  return {
    seconds: whole("--seconds", set.seconds),
    rounds: whole("--rounds", set.rounds),
    postgres: values.postgres === true,
    rateLimit: values["no-rate-limit"] !== true,
    only: scenarios.filter((name) => wanted.includes(name)),
    output: values.output,
    help: values.help === true,
  };
}

const FULL = { seconds: "10", rounds: "3" };
const QUICK = { seconds: "2", rounds: "1" };

const OPTIONS = {
  seconds: { type: "string" },
  rounds: { type: "string" },
  postgres: { type: "boolean" },
  "no-rate-limit": { type: "boolean" },
  quick: { type: "boolean" },
  only: { type: "string" },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
};

const MOST = 3600;

function whole(name, text) {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= 1 && number <= MOST) return number;
  throw new Error(`${name} ${text}: expected a whole number from 1 to ${MOST}`);
}

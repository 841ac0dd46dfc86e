import { randomInt } from "node:crypto";

/** How the suite is to be run, by the environment; see scripts/faults.mjs. */
export interface Options {
  readonly seed: number;
  /** The long form, both databases together; undefined for every kind of fault once on one of them. */
  readonly minutes: number | undefined;
  /** Only kinds of fault whose name contains this. */
  readonly only: string | undefined;
  /** Where the summaries are written as JSON; beside it the daemons' logs. */
  readonly out: string | undefined;
  /** What repeats this run. */
  readonly command: string;
}

export function readOptions(env: NodeJS.ProcessEnv = process.env): Options {
  const seed = numberIn(env, "FAULTS_SEED") ?? randomInt(1, 2 ** 31);
  const minutes = numberIn(env, "FAULTS_MINUTES");
  const only = env["FAULTS_ONLY"] || undefined;
  const command = [
    `npm run test:faults -- --seed ${seed}`,
    ...(minutes === undefined ? [] : [`--minutes ${minutes}`]),
    ...(only === undefined ? [] : [`--only '${only}'`]),
  ].join(" ");
  return { seed, minutes, only, out: env["FAULTS_OUT"] || undefined, command };
}

function numberIn(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not '${text}'`);
  return value;
}

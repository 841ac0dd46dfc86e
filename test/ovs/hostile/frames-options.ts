import { randomInt } from "node:crypto";

/** How hostile frames are thrown, by the environment; see scripts/hostile.mjs. */
export interface FrameOptions {
  readonly seed: number;
  /** Random frames that each of the throwers throws. */
  readonly count: number;
  /** What repeats this run. */
  readonly command: string;
}

const SHORT = 1500;
const LONG = 20_000;

export function readFrameOptions(env: NodeJS.ProcessEnv = process.env): FrameOptions {
  const long = env["HOSTILE_LONG"] === "1";
  const seed = wholeIn(env, "HOSTILE_SEED") ?? randomInt(1, 2 ** 31);
  const count = wholeIn(env, "HOSTILE_COUNT") ?? (long ? LONG : SHORT);
  const command = `HOSTILE_SEED=${seed} HOSTILE_COUNT=${count} npm run test:hostile`;
  return { seed, count, command };
}

function wholeIn(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) {
    throw new Error(`${name} must be a whole number above 0, not '${text}'`);
  }
  return value;
}

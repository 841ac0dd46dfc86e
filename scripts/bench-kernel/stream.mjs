import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../lib/process.mjs";

const PROGRAM = join(ROOT, "scripts/bench-kernel/stream.py");
const PYTHON = "/usr/bin/python3";
/** Short beside every gap that is measured, and a small part of what one processor can do. */
const INTERVAL_SECONDS = 0.005;

/**
 * What became of a stream. Times are milliseconds on the clock of `now()`.
 * @typedef {object} Log
 * @property {number[]} sent by number
 * @property {{ number: number, at: number }[]} arrived
 * @property {number[]} strays times at which somebody else was shown one
 */

/** @returns {number} milliseconds, on the clock that the stream's program reads as well */
export const now = () => inMs(process.hrtime.bigint());

const inMs = (nanoseconds) => Number(nanoseconds) / 1e6;

/** Datagrams that keep coming at a steady pace; see stream.py. */
export class Stream {
  #child;
  #lines;

  /** @param {{ netns: string }} [stranger] who must not be shown any of them */
  static async start(undo, from, to, stranger) {
    const ends = [from, to].map(({ netns, address }) => `${netns}=${address}`);
    const args = [PROGRAM, `${INTERVAL_SECONDS}`, ...ends, ...(stranger ? [stranger.netns] : [])];
    let child;
    undo.add(() => child?.kill());
    child = spawn(PYTHON, args, { detached: true, stdio: ["pipe", "pipe", "inherit"] });
    // Writing to one that has ended shows as the end of its lines.
    child.stdin.on("error", () => {});
    const stream = new Stream(child);
    if ((await stream.#line()) !== "ready") throw new Error("stream.py does not begin");
    return stream;
  }

  constructor(child) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Waits until datagrams arrive. @returns {Promise<boolean>} false: none did */
  async flows(limitSeconds) {
    return (await this.#ask("flows", limitSeconds)) === "flows";
  }

  /** Waits until none arrives any more. @returns {Promise<boolean>} false: they went on */
  async falls(limitSeconds) {
    return (await this.#ask("silent", limitSeconds)) === "silent";
  }

  /** @returns {Promise<Log>} */
  async end() {
    const { sent, arrived, strays } = JSON.parse(await this.#ask("end"));
    return {
      sent: sent.map(inMs),
      arrived: arrived.map(([number, at]) => ({ number, at: inMs(at) })),
      strays: strays.map(inMs),
    };
  }

  #ask(...words) {
    this.#child.stdin.write(`${words.join(" ")}\n`);
    return this.#line();
  }

  async #line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("stream.py has ended");
    return value;
  }
}

/**
 * The longest time without a packet between two moments.
 * @param {Log} log
 * @returns {{ ms: number, begun: number }}
 */
export function longestGap({ arrived }, from, to) {
  const within = arrived.map(({ at }) => at).filter((at) => at > from && at < to);
  let longest = { ms: 0, begun: from };
  for (const [index, at] of [...within, to].entries()) {
    const begun = within[index - 1] ?? from;
    if (at - begun > longest.ms) longest = { ms: at - begun, begun };
  }
  return longest;
}

/** How many of a stream's packets arrived that were sent after a moment. */
export function arrivedOf({ sent, arrived }, since) {
  return arrived.filter(({ number }) => sent[number] > since).length;
}

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./process.mjs";

const PROGRAM = join(ROOT, "scripts/lib/prober.py");
/** The distribution's: openvswitch-switch depends on it, so it is there. */
const PYTHON = "/usr/bin/python3";
const LIMIT_SECONDS = 60;

/** Packets between some workloads; see prober.py. */
export class Prober {
  #child;
  #lines;

  /** @param {{ netns: string, address: string }[]} workloads */
  static async start(workloads, undo) {
    const names = workloads.map(({ netns, address }) => `${netns}=${address}`);
    let child;
    undo.add(() => child?.kill());
    child = spawn(PYTHON, [PROGRAM, ...names], {
      detached: true,
      stdio: ["pipe", "pipe", "inherit"],
    });
    // Writing to one that has ended shows as the end of its lines.
    child.stdin.on("error", () => {});
    const prober = new Prober(child);
    await prober.#read("ready");
    return prober;
  }

  constructor(child) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Starts sending.
   * @returns {Promise<{ first: Promise<bigint> }>} when it does; `first`: the time of the first
   *   answer, on the clock of process.hrtime.bigint()
   */
  async watch(from, to) {
    this.#send("watch", from, to);
    await this.#read("watching");
    const first = this.#read("answered").then(BigInt);
    // Whoever waits for it hears of a failure; until then it is nobody's.
    first.catch(() => {});
    return { first };
  }

  /** Waits until nothing comes through any more. */
  async quiet(from, to) {
    this.#send("quiet", from, to);
    await this.#read("quiet");
  }

  #send(...words) {
    this.#child.stdin.write(`${words.join(" ")} ${LIMIT_SECONDS}\n`);
  }

  async #read(wanted) {
    const { value = "end of its output" } = await this.#lines.next();
    const [word, detail] = value.split(" ");
    if (word !== wanted) throw new Error(`the prober said '${value}' where '${wanted}' was due`);
    return detail;
  }
}

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Host } from "../support/netns.js";

const PROGRAM = fileURLToPath(new URL("prober.py", import.meta.url));
/** Debian's, whatever else is in PATH. */
const PYTHON = "/usr/bin/python3";

/** A probe that got through; times in milliseconds of CLOCK_MONOTONIC. */
export interface Arrival {
  /** Numbers of the sites. */
  readonly from: number;
  readonly to: number;
  readonly sentAt: number;
  readonly cameAt: number;
}

const report = z.object({
  sent: z.record(z.string(), z.number()),
  arrived: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
});

/** Sends probes from one host to all others, and knows which came in there, all the time. */
export class Prober {
  sent = 0;
  /** Of arrivals of one's own; what else happens here is a failure that ends the run. */
  failure: string | undefined;
  readonly #number: number;
  readonly #program: ReturnType<Host["spawn"]>;
  #errors = "";

  constructor(number: number, host: Host, arrived: (arrivals: readonly Arrival[]) => void) {
    this.#number = number;
    this.#program = host.spawn(PYTHON, PROGRAM, String(number));
    this.#program.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    createInterface(this.#program.stdout).on("line", (line) => this.#read(line, arrived));
    this.#program.once("exit", () => {
      this.failure = `the prober of site ${number} has ended: ${this.#errors}`;
    });
  }

  /** Addresses by the number of their site; two sites may have the same one. */
  aim(targets: Readonly<Record<number, string>>): void {
    this.#program.stdin.write(`${JSON.stringify({ targets })}\n`);
  }

  #read(line: string, arrived: (arrivals: readonly Arrival[]) => void): void {
    const { sent, arrived: rows } = report.parse(JSON.parse(line));
    for (const count of Object.values(sent)) this.sent += count;
    // Who it was meant for does not matter: overlapping sites share addresses. Who got it does.
    const to = this.#number;
    arrived(rows.map(([from, , sentAt, cameAt]) => ({ from, to, sentAt, cameAt })));
  }
}

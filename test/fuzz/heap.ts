import { readFile } from "node:fs/promises";
import { vi } from "vitest";

const LIMIT_MS = 20_000;

/** Reads how much of a daemon's heap is in use, without garbage, by `heap-probe.mjs`. */
export class Heap {
  readonly #file: string;
  readonly #signal: () => void;
  #asked = 0;

  /** @param signal sends SIGUSR2 to the daemon */
  constructor(file: string, signal: () => void) {
    this.#file = file;
    this.#signal = signal;
  }

  /** @returns bytes */
  async used(): Promise<number> {
    this.#asked += 1;
    this.#signal();
    return vi.waitFor(() => this.#answer(), { timeout: LIMIT_MS, interval: 50 });
  }

  async #answer(): Promise<number> {
    const [asked, bytes] = (await readFile(this.#file, "utf8")).split(" ").map(Number);
    if (asked !== this.#asked || bytes === undefined) throw new Error("no answer of the probe yet");
    return bytes;
  }
}

/** @returns the slope of the straight line that lies nearest to the points */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const x = mean(points.map(([at]) => at));
  const y = mean(points.map(([, value]) => value));
  const along = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return along / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}

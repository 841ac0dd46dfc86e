import type { Arrival } from "./prober.js";

/** When packets may pass between two sites, from the accept that was asked for to `deleted`. */
interface Window {
  readonly openedAt: number;
  closedAt: number;
}

export interface Leak extends Arrival {
  readonly verdict: string;
}

/** For every two sites the times in which packets may pass between them ("What never passes"). */
export class Windows {
  readonly #windows = new Map<string, Window[]>();

  /** To be called before the accept is sent. */
  open(a: number, b: number, at: number): void {
    const windows = this.#of(a, b);
    if (windows.at(-1)?.closedAt === Number.POSITIVE_INFINITY) return;
    windows.push({ openedAt: at, closedAt: Number.POSITIVE_INFINITY });
  }

  /** To be called once `deleted` was reported, or a refusal of the accept. */
  close(a: number, b: number, at: number): void {
    const last = this.#of(a, b).at(-1);
    if (last !== undefined && last.closedAt > at) last.closedAt = at;
  }

  /**
   * A packet that came before a window opened, or was sent after it closed, has leaked. One that was
   * sent before `deleted` may be under way when it is reported.
   */
  judge(arrival: Arrival): Leak | undefined {
    const { from, to, sentAt, cameAt } = arrival;
    const windows = this.#of(from, to);
    const allowed = windows.some(
      ({ openedAt, closedAt }) => cameAt >= openedAt && sentAt <= closedAt,
    );
    if (allowed) return undefined;
    const before = windows.filter(({ closedAt }) => closedAt < sentAt).at(-1);
    const verdict =
      before === undefined
        ? "no accept had been asked for"
        : `sent ${(sentAt - before.closedAt).toFixed(1)} ms after deletion was reported`;
    return { ...arrival, verdict };
  }

  #of(a: number, b: number): Window[] {
    const key = a < b ? `${a}-${b}` : `${b}-${a}`;
    const windows = this.#windows.get(key) ?? [];
    this.#windows.set(key, windows);
    return windows;
  }
}

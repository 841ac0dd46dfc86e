import type { PeeringSlot } from "./load/peering-slot.js";
import type { Arrival } from "./prober.js";
import { now, pace } from "./time.js";

const POLL_MS = 25;
/** Who is silent for so long is looked into at once: afterwards it cannot be told why. */
const LOOK_INTO_MS = 3_000;
/** Beyond the stated limits, to learn how long it took. */
const GIVE_UP_MS = 60_000;

export interface Recovery {
  /** Milliseconds from the end of the fault to the first probe that got through, by direction. */
  readonly times: readonly number[];
  /** Who should talk and does not, or did too late. */
  readonly late: readonly string[];
}

/** Watches who talks again since a moment. */
export class RecoveryWatch {
  readonly #since: number;
  readonly #first = new Map<string, number>();

  constructor(since: number) {
    this.#since = since;
  }

  readonly note = ({ from, to, sentAt }: Arrival): void => {
    if (sentAt < this.#since) return;
    const key = `${from}>${to}`;
    if (!this.#first.has(key)) this.#first.set(key, sentAt - this.#since);
  };

  /** Waits until each of these peerings has let a probe through both ways, or has been given up. */
  async of(
    slots: readonly PeeringSlot[],
    limitMs: number,
    explain: (silent: readonly PeeringSlot[]) => Promise<void>,
  ): Promise<Recovery> {
    let explained = false;
    const waiting = new Set(slots.filter(({ shouldTalk }) => shouldTalk));
    const wantedAt = new Map<PeeringSlot, number>();
    const deadline = this.#since + Math.max(GIVE_UP_MS, limitMs);
    const times: number[] = [];
    const late: string[] = [];
    while (waiting.size > 0) {
      for (const slot of waiting) {
        const found = this.#timesOf(slot);
        const given = found.every((time) => time !== undefined);
        if (slot.shouldTalk) wantedAt.set(slot, now() - this.#since);
        if (!given && slot.shouldTalk && now() <= deadline) continue;
        waiting.delete(slot);
        if (given) times.push(...found);
        // Its deletion was asked for meanwhile: excused, unless it was late by then.
        else if ((wantedAt.get(slot) ?? 0) <= limitMs) continue;
        const slowest = given ? Math.max(...found) : Number.POSITIVE_INFINITY;
        const pair = `${slot.id}, sites ${slot.a.number} and ${slot.b.number}`;
        if (slowest > limitMs) late.push(`${pair}: ${slowest.toFixed(0)} ms`);
      }
      if (!explained && waiting.size > 0 && now() > this.#since + LOOK_INTO_MS) {
        explained = true;
        await explain([...waiting]);
      }
      await pace(POLL_MS);
    }
    return { times, late };
  }

  #timesOf({ a, b }: PeeringSlot): (number | undefined)[] {
    return [`${a.number}>${b.number}`, `${b.number}>${a.number}`].map((key) =>
      this.#first.get(key),
    );
  }
}

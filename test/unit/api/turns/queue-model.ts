import fc from "fast-check";
import { expect } from "vitest";
import { FairQueue, type QueueLimits, type Ticket } from "../../../../src/api/turns/fair-queue.js";

export type Command =
  | { readonly kind: "enter"; readonly tenant: string; readonly key: string; isBack: boolean }
  /** Of those that have a place, or that wait: the one at this position. */
  | { readonly kind: "end" | "give-up"; readonly at: number };

const at = fc.nat({ max: 100 });

export const queueCommands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("enter" as const),
      tenant: fc.constantFrom("a", "b", "c", "d"),
      key: fc.constantFrom("x", "y"),
      isBack: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("end" as const), at }),
    fc.record({ kind: fc.constant("give-up" as const), at }),
  ),
  { maxLength: 80 },
);

/** Runs commands on a queue, and knows what must hold of it. */
export class QueueModel {
  readonly #queue: FairQueue;
  readonly #limits: QueueLimits;
  #waiting: Ticket[] = [];
  #running: Ticket[] = [];
  /** Who was served since a tenant that waits could have been. */
  readonly #servedSince = new Map<string, Set<string>>();

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#queue = new FairQueue(limits);
  }

  run(command: Command): void {
    if (command.kind === "enter") this.#enter(command);
    else if (command.kind === "end") this.#leave(this.#running, command.at);
    else this.#leave(this.#waiting, command.at);
    this.#check();
  }

  /** Ends turn after turn: everybody is served in the end. */
  drain(): void {
    while (this.#running.length > 0) this.run({ kind: "end", at: 0 });
    expect(this.#waiting).toEqual([]);
    expect([this.#queue.running, this.#queue.waiting]).toEqual([0, 0]);
  }

  #enter({ tenant, key, isBack }: Extract<Command, { kind: "enter" }>): void {
    const hasRoom = isBack || this.#waitingOf(tenant).length < this.#limits.waitingPerTenant;
    const start = () => this.#started(ticket);
    const ticket: Ticket = { party: { tenant, key }, isBack, start };
    if (hasRoom) this.#waiting.push(ticket);
    expect(this.#queue.enter(ticket)).toBe(hasRoom);
  }

  #leave(from: Ticket[], position: number): void {
    const ticket = from[position % Math.max(1, from.length)];
    if (ticket === undefined) return;
    this.#running = this.#running.filter((each) => each !== ticket);
    this.#waiting = this.#waiting.filter((each) => each !== ticket);
    this.#queue.leave(ticket);
  }

  #started(ticket: Ticket): void {
    const { tenant } = ticket.party;
    expect(this.#waiting).toContain(ticket);
    this.#waiting = this.#waiting.filter((each) => each !== ticket);
    this.#running.push(ticket);
    this.#servedSince.delete(tenant);
    for (const other of this.#passedOver(tenant)) {
      const served = this.#servedSince.get(other) ?? new Set();
      // The bound: of each other tenant one is served before it is this one's turn.
      expect(served, `served twice while ${other} waits`).not.toContain(tenant);
      this.#servedSince.set(other, served.add(tenant));
    }
  }

  /** Tenants that wait and could have been served in this one's place. */
  #passedOver(served: string): string[] {
    const waiting = new Set(this.#waiting.map(({ party }) => party.tenant));
    waiting.delete(served);
    return [...waiting].filter((tenant) => this.#heldBy(tenant) === 0);
  }

  #check(): void {
    for (const tenant of this.#servedSince.keys()) {
      const waits = this.#waitingOf(tenant).length > 0;
      if (!waits || this.#heldBy(tenant) > 0) this.#servedSince.delete(tenant);
    }
    const { places } = this.#limits;
    expect(this.#running.length).toBeLessThanOrEqual(places);
    for (const { party } of this.#running) {
      expect(this.#heldBy(party.tenant)).toBe(1);
    }
    // No place is idle while somebody who may have one waits.
    if (this.#running.length < places) {
      for (const { party } of this.#waiting) {
        expect(this.#heldBy(party.tenant)).toBe(1);
      }
    }
    expect(this.#queue.running).toBe(this.#running.length);
    expect(this.#queue.waiting).toBe(this.#waiting.length);
  }

  #waitingOf(tenant: string): Ticket[] {
    return this.#waiting.filter(({ party }) => party.tenant === tenant);
  }

  #heldBy(tenant: string): number {
    return this.#running.filter(({ party }) => party.tenant === tenant).length;
  }
}

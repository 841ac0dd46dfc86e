import { DomainError } from "../../domain/errors.js";
import { heardAll, type Turn } from "../../domain/turn.js";
import { TooManyRequests } from "../problems/too-many-requests.js";
import type { FairQueue, Party, Ticket } from "./fair-queue.js";

/** Longer than a caller has patience, and no reason to keep what a caller has sent. */
export const LONGEST_WAIT_MS = 30_000;

/** What calls wait for. */
export interface Queues {
  readonly database: FairQueue;
  readonly atSwitch: FairQueue;
}

/** One call's way through the queue: it waits, has a place, may step aside, and is done. */
export class CallTurn implements Turn {
  readonly #queue: FairQueue;
  readonly #switchQueue: FairQueue;
  readonly #party: Party;
  #ticket: Ticket | undefined;
  #isDone = false;
  /** How many things it waits for aside. */
  #asides = 0;
  #giveUp: (() => void) | undefined;

  constructor({ database, atSwitch }: Queues, party: Party) {
    this.#queue = database;
    this.#switchQueue = atSwitch;
    this.#party = party;
  }

  /**
   * Waits for a place. False: it was given up meanwhile.
   * @throws TooManyRequests when too many of the tenant's calls wait already
   * @throws DomainError `ServiceUnavailable` when it takes longer than `limitMs`
   */
  take(limitMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const ended = (outcome: () => void) => {
        clearTimeout(timer);
        this.#giveUp = undefined;
        outcome();
      };
      const timer = setTimeout(() => {
        this.done();
        ended(() => reject(waitedInVain(limitMs)));
      }, limitMs);
      this.#giveUp = () => {
        this.done();
        ended(() => resolve(false));
      };
      const hasEntered = this.#enter(false, () => ended(() => resolve(true)));
      if (!hasEntered) ended(() => reject(new TooManyRequests(1, CROWDED)));
    });
  }

  /** Ends the wait for the first place. Whoever has had one is working, and ends by `done`. */
  giveUp(): void {
    this.#giveUp?.();
  }

  /** May be called more than once. */
  done(): void {
    this.#isDone = true;
    this.#leave();
  }

  async aside<T>(wait: () => Promise<T>): Promise<T> {
    this.#asides += 1;
    this.#leave();
    try {
      return await wait();
    } finally {
      this.#asides -= 1;
      if (this.#asides === 0 && !this.#isDone) await this.#comeBack();
    }
  }

  atSwitch<T>(ask: () => Promise<T>): Promise<T> {
    const queues = { database: this.#switchQueue, atSwitch: this.#switchQueue };
    return this.aside(async () => {
      const turn = new CallTurn(queues, this.#party);
      await turn.take(LONGEST_WAIT_MS);
      try {
        return await ask();
      } finally {
        turn.done();
      }
    });
  }

  async pause(): Promise<void> {
    await this.aside(heardAll);
    const ticket = this.#ticket;
    if (ticket !== undefined) await this.#queue.othersDone(ticket);
  }

  #comeBack(): Promise<void> {
    return new Promise((resolve) => {
      this.#enter(true, resolve);
    });
  }

  #enter(isBack: boolean, start: () => void): boolean {
    // Never at once, not even where the place is free: with the embedded database a turn is one
    // chain of promises, and before the next one the daemon is to hear from its clients.
    this.#ticket = { party: this.#party, isBack, start: () => setImmediate(start) };
    return this.#queue.enter(this.#ticket);
  }

  #leave(): void {
    if (this.#ticket !== undefined) this.#queue.leave(this.#ticket);
    this.#ticket = undefined;
  }
}

const CROWDED = "As many of this tenant's calls as may are waiting for their turn";

function waitedInVain(limitMs: number): DomainError {
  const detail = `The call has waited ${limitMs / 1000} s for its turn.`;
  return new DomainError("ServiceUnavailable", detail);
}

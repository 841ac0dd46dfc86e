import { Pauses } from "./pauses.js";
import { Rotation } from "./rotation.js";

/** Who takes a turn. */
export interface Party {
  readonly tenant: string;
  /** Which of the tenant's keys. */
  readonly key: string;
}

export interface QueueLimits {
  /** How many may have a turn at the same time, each of another tenant. */
  readonly places: number;
  /** How many of one tenant may wait. */
  readonly waitingPerTenant: number;
}

/** A place, or a wait for one. */
export interface Ticket {
  readonly party: Party;
  /** Has been here before, and goes before those of its tenant that have not. */
  readonly isBack: boolean;
  /** Waits however many of its tenant do, for something else bounds how many of its kind there are. */
  readonly isNeverRefused?: boolean;
  readonly start: () => void;
}

/** The tickets of one tenant that wait. */
class TenantLine {
  readonly #back = new Set<Ticket>();
  readonly #byKey = new Rotation<Ticket>();
  size = 0;

  add(ticket: Ticket): void {
    this.size += 1;
    if (ticket.isBack) this.#back.add(ticket);
    else this.#byKey.add(ticket.party.key, ticket);
  }

  remove(ticket: Ticket): boolean {
    const has = this.#back.delete(ticket) || this.#byKey.remove(ticket.party.key, ticket);
    if (has) this.size -= 1;
    return has;
  }

  take(): Ticket | undefined {
    const [back] = this.#back;
    if (back !== undefined) this.#back.delete(back);
    const ticket = back ?? this.#byKey.take();
    if (ticket !== undefined) this.size -= 1;
    return ticket;
  }
}

/**
 * Places for which tenants wait in line, one line each, served in rotation; within a tenant its
 * keys are. So who is first in its own line waits for no more turns to end than there were tenants
 * waiting when it came, however many turns each of them waits for.
 *
 * A tenant has one place at a time. More would bring it little, as all calls share one processor, and
 * whoever comes beside it would share that with as many of its calls.
 */
export class FairQueue {
  readonly #limits: QueueLimits;
  /** Those with somebody waiting; the one whose turn is next comes first. */
  readonly #lines = new Map<string, TenantLine>();
  /** Who has a place, by tenant. */
  readonly #holders = new Map<string, Ticket>();
  readonly #pauses = new Pauses<Ticket>();

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#holders.size;
  }

  get waiting(): number {
    let sum = 0;
    for (const { size } of this.#lines.values()) sum += size;
    return sum;
  }

  /**
   * Takes a place or waits for one; `start` is called once it is there, possibly at once.
   * @returns false when too many of the tenant wait already; who is back is never refused
   */
  enter(ticket: Ticket): boolean {
    const { tenant } = ticket.party;
    const line = this.#lines.get(tenant) ?? new TenantLine();
    const isBounded = !ticket.isBack && ticket.isNeverRefused !== true;
    if (isBounded && line.size >= this.#limits.waitingPerTenant) return false;
    line.add(ticket);
    this.#lines.set(tenant, line);
    this.#serve();
    return true;
  }

  /** Gives the place back, or ends the wait for one; nothing when neither is left. */
  leave(ticket: Ticket): void {
    const { tenant } = ticket.party;
    if (this.#holders.get(tenant) === ticket) {
      this.#holders.delete(tenant);
      this.#pauses.forget(ticket);
      this.#serve();
      return;
    }
    const line = this.#lines.get(tenant);
    if (line?.remove(ticket) === true && line.size === 0) this.#lines.delete(tenant);
  }

  /**
   * In the middle of a long turn: resolves when the other tenants' calls that have a place now have
   * left it, or pause as well. They share one processor, so what each of them waits for in between
   * would come that much later.
   */
  othersDone(ticket: Ticket): Promise<void> {
    const others = [...this.#holders.values()].filter((holder) => holder !== ticket);
    return this.#pauses.until(ticket, others);
  }

  #serve(): void {
    while (this.#holders.size < this.#limits.places) {
      const ticket = this.#next();
      if (ticket === undefined) return;
      this.#holders.set(ticket.party.tenant, ticket);
      ticket.start();
    }
  }

  #next(): Ticket | undefined {
    for (const [tenant, line] of this.#lines) {
      if (this.#holders.has(tenant)) continue;
      this.#lines.delete(tenant);
      const ticket = line.take();
      if (line.size > 0) this.#lines.set(tenant, line);
      return ticket;
    }
    return undefined;
  }
}

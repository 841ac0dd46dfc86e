import type { ConnectionBounds } from "./limits.js";

/**
 * What a connection does: no complete request has come yet, it is between two requests, its client
 * does not take an answer that is ready, or a request is being answered.
 */
export type Phase = "unfinished" | "idle" | "unread" | "busy";

/** Whom closing costs nothing that was promised. */
const CLOSABLE = ["unfinished", "idle", "unread"] as const;

/** The connections of one address, by phase and in the order in which they came to it. */
interface Holder<C> {
  readonly exempt: boolean;
  readonly phases: Readonly<Record<Phase, Map<C, Round>>>;
}

/** The count of looks for surplus when the connection came to its phase. */
type Round = number;

interface Place<C> {
  readonly address: string;
  readonly holder: Holder<C>;
  phase: Phase;
}

/**
 * Who is connected, and who has to go when there is no room: the oldest of whom most are, at the
 * address that has most of those that can be closed. A request under way is never given up.
 */
export class ConnectionBook<C> {
  #bounds: ConnectionBounds;
  readonly #phaseOf: (connection: C) => Phase;
  readonly #places = new Map<C, Place<C>>();
  readonly #holders = new Map<string, Holder<C>>();
  #round: Round = 0;

  /** @param phaseOf what a connection does now; asked before it is closed for what it did */
  constructor(bounds: ConnectionBounds, phaseOf: (connection: C) => Phase) {
    this.#bounds = bounds;
    this.#phaseOf = phaseOf;
  }

  /**
   * Notes a new connection, which is unfinished.
   * @param exempt many clients share this address
   * @returns who is out for it, if anybody: the newcomer itself when nobody else can be
   */
  enter(connection: C, address: string, exempt: boolean): C | undefined {
    const holder = this.#holders.get(address) ?? newHolder<C>(exempt);
    const out = this.#makeRoom(holder);
    if (out === "nobody") return connection;
    this.#holders.set(address, holder);
    holder.phases.unfinished.set(connection, this.#round);
    this.#places.set(connection, { address, holder, phase: "unfinished" });
    return out;
  }

  /**
   * Sets other bounds.
   * @returns who is out for it
   */
  resize(bounds: ConnectionBounds): C[] {
    this.#bounds = bounds;
    const out: C[] = [];
    while (this.#places.size > bounds.total) {
      const taken = this.#takeFrom(this.#fullest());
      if (taken === undefined) break;
      out.push(taken);
    }
    return out;
  }

  move(connection: C, phase: Phase): void {
    const place = this.#places.get(connection);
    if (place === undefined || place.phase === phase) return;
    place.holder.phases[place.phase].delete(connection);
    place.holder.phases[phase].set(connection, this.#round);
    place.phase = phase;
  }

  leave(connection: C): void {
    const place = this.#places.get(connection);
    if (place === undefined) return;
    this.#places.delete(connection);
    place.holder.phases[place.phase].delete(connection);
    if (sizeOf(place.holder) === 0) this.#holders.delete(place.address);
  }

  /**
   * Takes out what an address has beyond its bounds of unfinished and of idle connections, the
   * oldest first. Those that came after the last look but one stay: what they sent may be here
   * already and not be read.
   */
  surplus(): C[] {
    this.#round += 1;
    const { unfinishedPerAddress, idlePerAddress } = this.#bounds;
    return [...this.#holders.values()]
      .filter(({ exempt }) => !exempt)
      .flatMap((holder) => [
        ...this.#surplusOf(holder, "unfinished", unfinishedPerAddress),
        ...this.#surplusOf(holder, "idle", idlePerAddress),
      ]);
  }

  counts(): Record<Phase, number> {
    const counts = { unfinished: 0, idle: 0, unread: 0, busy: 0 };
    for (const { phase } of this.#places.values()) counts[phase] += 1;
    return counts;
  }

  #makeRoom(holder: Holder<C>): C | "nobody" | undefined {
    if (!holder.exempt && sizeOf(holder) >= this.#bounds.perAddress) {
      return this.#takeFrom(holder) ?? "nobody";
    }
    if (this.#places.size < this.#bounds.total) return undefined;
    return this.#takeFrom(this.#fullest()) ?? "nobody";
  }

  /** Which address has most to close; one that is many clients' only when no other has anything. */
  #fullest(): Holder<C> | undefined {
    let fullest: Holder<C> | undefined;
    for (const holder of this.#holders.values()) {
      if (fullest === undefined || weight(holder) > weight(fullest)) fullest = holder;
    }
    return fullest;
  }

  #takeFrom(holder: Holder<C> | undefined): C | undefined {
    for (;;) {
      const phase = holder === undefined ? undefined : commonest(holder);
      const [oldest] = phase === undefined ? [] : (holder?.phases[phase].keys() ?? []);
      if (oldest === undefined) return undefined;
      if (this.#takeIfStill(oldest, phase)) return oldest;
    }
  }

  #surplusOf(holder: Holder<C>, phase: "unfinished" | "idle", bound: number): C[] {
    const connections = holder.phases[phase];
    const taken: C[] = [];
    for (const [connection, since] of connections) {
      if (connections.size <= bound || since + 2 > this.#round) break;
      if (this.#takeIfStill(connection, phase)) taken.push(connection);
    }
    return taken;
  }

  #takeIfStill(connection: C, phase: Phase | undefined): boolean {
    const now = this.#phaseOf(connection);
    if (now === phase) this.leave(connection);
    else this.move(connection, now);
    return now === phase;
  }
}

function newHolder<C>(exempt: boolean): Holder<C> {
  const phases = { unfinished: new Map(), idle: new Map(), unread: new Map(), busy: new Map() };
  return { exempt, phases };
}

function sizeOf<C>({ phases }: Holder<C>): number {
  return closable(phases) + phases.busy.size;
}

function closable<C>(phases: Holder<C>["phases"]): number {
  return CLOSABLE.reduce((sum, phase) => sum + phases[phase].size, 0);
}

function weight<C>({ exempt, phases }: Holder<C>): number {
  const count = closable(phases);
  return exempt ? count / Number.MAX_SAFE_INTEGER : count;
}

function commonest<C>({ phases }: Holder<C>): (typeof CLOSABLE)[number] | undefined {
  const [first] = CLOSABLE.toSorted((a, b) => phases[b].size - phases[a].size);
  return first !== undefined && phases[first].size > 0 ? first : undefined;
}

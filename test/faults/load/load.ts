import type { Random } from "../random.js";
import { now, pace } from "../time.js";
import { groupActions } from "./groups.js";
import { guestActions } from "./guests.js";
import { peeringActions } from "./peerings.js";
import { routeActions } from "./routes.js";
import type { Action, Scene } from "./scene.js";

const WORKERS = 4;
const LEAST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 250;

/** Tenants who change things, a few at a time, until they are paused or stopped. */
export class Load {
  readonly #actions: readonly Action[];
  readonly #randoms: readonly Random[];
  #running = false;
  #workers: Promise<void>[] = [];
  #done = 0;
  #resumedAt = 0;
  /** Why a worker has given up. */
  failure: unknown;

  constructor(scene: Scene, random: Random) {
    this.#actions = [
      ...peeringActions(scene),
      ...routeActions(scene),
      ...groupActions(scene),
      ...guestActions(scene),
    ];
    this.#randoms = Array.from({ length: WORKERS }, () => random.fork());
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#resumedAt = this.#done;
    this.#workers = this.#randoms.map((random) => this.#work(random));
  }

  /** Begins nothing new; resolves once everything under way has been answered. */
  async pause(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
    if (this.failure !== undefined) throw this.failure;
  }

  /** Waits until so much has been done since the last pause. */
  async untilChanged(times: number, limitMs: number): Promise<void> {
    const deadline = now() + limitMs;
    while (this.#done - this.#resumedAt < times) {
      if (this.failure !== undefined) throw this.failure;
      if (now() > deadline) throw new Error(`the load has come to a standstill: ${this.#done}`);
      await pace(LEAST_PAUSE_MS);
    }
  }

  async #work(random: Random): Promise<void> {
    try {
      while (this.#running) {
        await this.#draw(random).run(random);
        this.#done += 1;
        await pace(random.between(LEAST_PAUSE_MS, LONGEST_PAUSE_MS));
      }
    } catch (error) {
      this.failure ??= error;
      this.#running = false;
    }
  }

  #draw(random: Random): Action {
    const total = this.#actions.reduce((sum, { weight }) => sum + weight, 0);
    let left = random.unit() * total;
    for (const action of this.#actions) {
      left -= action.weight;
      if (left < 0) return action;
    }
    throw new Error("there is nothing to do");
  }
}

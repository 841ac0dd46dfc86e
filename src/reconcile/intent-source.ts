import type { IntentSlice, Scope } from "../domain/intent.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { storeFailure } from "../store/database/errors.js";
import { type IntentQuotas, loadIntent } from "../store/intent-snapshot.js";
import { KnownIntent } from "./known-intent.js";

/** Intent from the database, and from memory while there is no database. */
export class IntentSource {
  readonly #db: PrismaClient;
  readonly #quotas: IntentQuotas | undefined;
  readonly #known = new KnownIntent();
  readonly #recalled = new WeakSet<IntentSlice>();

  constructor(db: PrismaClient, quotas?: IntentQuotas) {
    this.#db = db;
    this.#quotas = quotas;
  }

  /** As stored. */
  async load(scope: Scope): Promise<IntentSlice> {
    const slice = await loadIntent(this.#db, scope, this.#quotas);
    this.#known.learn(slice);
    return slice;
  }

  /**
   * As stored, or as it was last read while the database is away: what somebody does to the switch
   * meanwhile is to be repaired all the same. It admits nothing that was not admitted, and keeps
   * nothing that was reported as deleted: that is reported only after it was read.
   */
  async loadOrRecall(scope: Scope): Promise<IntentSlice> {
    try {
      return await this.load(scope);
    } catch (error) {
      const slice = isAway(error) ? this.#known.recall(scope) : undefined;
      if (slice === undefined) throw error;
      this.#recalled.add(slice);
      return slice;
    }
  }

  /** Whether the database may say otherwise by now, and is to be asked again. */
  isRecalled(slice: IntentSlice): boolean {
    return this.#recalled.has(slice);
  }
}

function isAway(error: unknown): boolean {
  return storeFailure(error).kind === "unavailable";
}

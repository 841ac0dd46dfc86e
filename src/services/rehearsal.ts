import type { Settlements, Waker } from "../domain/data-plane.js";
import type { Principal } from "../domain/principal.js";
import type { ResourceEvent } from "../domain/resources.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { rehearsing } from "../store/database/rehearsal.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findNewestEventId, findOwnEvents, type StoredEvent } from "../store/events.js";
import type { CredentialsInUse, ServiceContext } from "./context.js";

/**
 * A call that is made to see what would come of it. It runs as it would in earnest, transaction by
 * transaction, and each of them is rolled back; nobody is woken, told or kept waiting.
 */
export class Rehearsal {
  /** What the use case of the call is to work with. */
  readonly services: ServiceContext;
  readonly #events: StoredEvent[] = [];

  constructor(ctx: ServiceContext) {
    const db = rehearsing(ctx.db, (tx, work) => this.#noting(tx, work));
    const credentials = unchanged(ctx.credentials, db);
    this.services = { ...ctx, db, credentials, waker: NOBODY, settlements: NO_WAIT };
  }

  /** The events that would have been stored, as far as this caller could read them. */
  changesSeenBy(caller: Principal): ResourceEvent[] {
    const { tenantId, accessKeyId } = caller;
    const mayRead = caller.permissions.has("event:read");
    return this.#events.filter(({ actor, ...event }) => {
      const isConcerned = [event.tenantId, event.otherTenantId].includes(tenantId);
      if (tenantId !== null && !isConcerned) return false;
      return mayRead || (actor.kind === "access-key" && actor.accessKeyId === accessKeyId);
    });
  }

  async #noting<T>(tx: Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
    const before = await findNewestEventId(tx);
    const result = await work(tx);
    this.#events.push(...(await findOwnEvents(tx, before)));
    return result;
  }
}

/** What is remembered stays right: nothing that is written through `db` stays. */
function unchanged(real: CredentialsInUse, db: PrismaClient): CredentialsInUse {
  return {
    unreadable: real.unreadable,
    reload: () => real.reload(),
    holder: (id, secret) => real.holder(id, secret),
    change: (_subject, work) => inTransaction(db, work),
    refresh: async () => {},
  };
}

const NOBODY: Waker = { wake: () => {} };

const NO_WAIT: Settlements = { closed: true, next: async () => {} };

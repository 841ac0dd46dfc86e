import { setTimeout as delay } from "node:timers/promises";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.js";
import { hasRecorded, tellRecorded } from "./commit-news.js";
import { storeFailure } from "./errors.js";

export type Tx = Prisma.TransactionClient;

export interface TransactionOptions {
  /** Default READ COMMITTED. Embedded, transactions run one at a time, whatever is asked for. */
  readonly isolationLevel?: "RepeatableRead";
}

/** Embedded, all transactions share one connection: a burst of callers waits in line. */
const limits = { maxWait: 20_000, timeout: 15_000 };
const attempts = 5;
const baseDelayMs = 10;

/**
 * Runs `work` in one transaction and commits it; anything thrown rolls back.
 *
 * Deadlocks and serialization failures start it over, so `work` must have no effect besides `tx`.
 * Never use the outer client inside `work`: embedded, it would wait for this very transaction.
 */
export async function inTransaction<T>(
  client: PrismaClient,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await commit(client, work, options);
    } catch (error) {
      if (attempt >= attempts || storeFailure(error).kind !== "conflict") throw error;
    }
    await delay(Math.random() * baseDelayMs * 2 ** attempt);
  }
}

/** For the rest of this transaction: how long to wait for a lock that somebody holds. */
export async function limitLocks(tx: Tx, limitMs: number): Promise<void> {
  await tx.$queryRaw`SELECT set_config('lock_timeout', ${`${limitMs}ms`}, true)`;
}

async function commit<T>(
  client: PrismaClient,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  let recorded = false;
  const outcome = await client.$transaction(
    async (tx) => {
      const result = await work(tx);
      recorded = hasRecorded(tx);
      return result;
    },
    { ...limits, ...options },
  );
  if (recorded) tellRecorded(client);
  return outcome;
}

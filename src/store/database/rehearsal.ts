import type { PrismaClient } from "../../generated/prisma/client.js";
import type { TransactionOptions, Tx } from "./transaction.js";

/** Thrown to have a transaction rolled back that has done all it was to do. */
class RolledBack extends Error {
  override readonly name = "RolledBack";
}

/**
 * A client whose transactions do their work, answer what comes of it, and are rolled back.
 * @param around given the work of each transaction, which it is to do once
 */
export function rehearsing(
  client: PrismaClient,
  around: <T>(tx: Tx, work: (tx: Tx) => Promise<T>) => Promise<T>,
): PrismaClient {
  const rehearse = async <T>(
    work: (tx: Tx) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> => {
    const done: T[] = [];
    const ended = client.$transaction(async (tx): Promise<void> => {
      done.push(await around(tx, work));
      throw new RolledBack();
    }, options);
    await ended.catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
    return done[0] as T;
  };
  return new Proxy(client, {
    get: (target, key) => (key === "$transaction" ? rehearse : Reflect.get(target, key)),
  });
}

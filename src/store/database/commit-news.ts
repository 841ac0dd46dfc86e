import type { Prisma, PrismaClient } from "../../generated/prisma/client.js";

/** Both hang on what they belong to and go with it. */
const recorded = new WeakSet<Prisma.TransactionClient>();
const listeners = new WeakMap<PrismaClient, Set<() => void>>();

/** Events were stored in this transaction, which may still be rolled back. */
export function noteRecorded(tx: Prisma.TransactionClient): void {
  recorded.add(tx);
}

export function hasRecorded(tx: Prisma.TransactionClient): boolean {
  return recorded.has(tx);
}

/** Calls `listener` after every commit of events through this client until the answer is called. */
export function onRecorded(client: PrismaClient, listener: () => void): () => void {
  const those = listeners.get(client) ?? new Set();
  listeners.set(client, those.add(listener));
  return () => void those.delete(listener);
}

export function tellRecorded(client: PrismaClient): void {
  for (const listener of [...(listeners.get(client) ?? [])]) listener();
}

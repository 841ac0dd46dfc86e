import { SYSTEM } from "../../../src/domain/resources.js";
import { PrismaClient } from "../../../src/generated/prisma/client.js";
import type { Follower } from "../../../src/services/streams/follower.js";
import type { EventTail } from "../../../src/services/streams/tail.js";
import { recordChanges } from "../../../src/store/change.js";
import { openEmbedded } from "../../../src/store/database/embedded.js";
import { openPostgres } from "../../../src/store/database/postgres.js";
import { inTransaction } from "../../../src/store/database/transaction.js";
import { findEventRange } from "../../../src/store/events.js";
import type { DatabaseEngine } from "../../support/databases.js";

export const quiet = { info() {}, warn() {}, error() {} };

/** A database that counts the statements that it is sent. */
export interface CountingDatabase {
  readonly db: PrismaClient;
  /** The statements so far, and since the last call of `forget`. */
  readonly statements: string[];
  forget(): void;
  close(): Promise<void>;
}

export async function openCounting(on: DatabaseEngine): Promise<CountingDatabase> {
  const { databaseUrl, dataDir, cleanup } = await on.fresh();
  const engine =
    databaseUrl === undefined
      ? await openEmbedded(dataDir, quiet)
      : await openPostgres(databaseUrl, quiet);
  const db = new PrismaClient({
    adapter: engine.adapter,
    log: [{ emit: "event", level: "query" }],
  });
  const statements: string[] = [];
  db.$on("query", ({ query }) => statements.push(query));
  const close = async () => {
    await db.$disconnect();
    await engine.close();
    await cleanup();
  };
  return { db, statements, forget: () => void statements.splice(0), close };
}

/** Stores events of a tenant, all with one commit. @returns the id of the last */
export function write(
  db: PrismaClient,
  tenantId: string | null,
  count = 1,
  otherTenantId?: string,
): Promise<number> {
  const changes = Array.from({ length: count }, (_, index) => ({
    actor: SYSTEM,
    resourceType: "vpc" as const,
    resourceId: `vpc-${index}`,
    action: "update",
    before: null,
    after: null,
    tenantId,
    otherTenantId,
  }));
  return inTransaction(db, (tx) => recordChanges(tx, changes));
}

/** @param after from now on unless given */
export async function join(
  tail: EventTail,
  db: PrismaClient,
  tenantId: string | null,
  after?: number,
): Promise<Follower> {
  const { newest } = await findEventRange(db, tenantId);
  return tail.join(tenantId, after ?? newest, newest);
}

/** As after the restoration of a backup that was made after event `upTo`. */
export async function restoreTo(db: PrismaClient, upTo: number): Promise<void> {
  await db.$transaction([
    db.event.deleteMany({ where: { id: { gt: upTo } } }),
    db.generation.updateMany({ data: { value: upTo } }),
  ]);
}

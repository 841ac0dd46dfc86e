import { DomainError } from "../domain/errors.js";
import type { IdempotencyClaim } from "../domain/idempotency.js";
import type { ResourceType } from "../domain/resources.js";
import type { Tx } from "./database/transaction.js";

/** What a call has changed or made: a resource, or a part of one that has an id of its own. */
export interface NotedChange {
  readonly resourceType: ResourceType | "security-group-rule";
  readonly resourceId: string;
}

export interface StoredCall {
  readonly fingerprint: string;
  readonly claimedUntil: Date;
  /** Null until a change was committed. */
  readonly change: NotedChange | null;
  /** Sealed; null until the call was answered. */
  readonly answer: Uint8Array | null;
  readonly createdAt: Date;
}

interface Terms {
  readonly fingerprint: string;
  readonly now: Date;
  readonly claimedUntil: Date;
}

/** False when the key has been used already. */
export async function insertCall(
  client: Tx,
  { owner, key, attempt: claim }: IdempotencyClaim,
  { fingerprint, now: createdAt, claimedUntil }: Terms,
): Promise<boolean> {
  const data = { owner, key, claim, fingerprint, claimedUntil, createdAt };
  const { count } = await client.idempotencyKey.createMany({ data, skipDuplicates: true });
  return count === 1;
}

export async function findCall(
  client: Tx,
  { owner, key }: IdempotencyClaim,
): Promise<StoredCall | null> {
  const row = await client.idempotencyKey.findUnique({ where: { owner_key: { owner, key } } });
  if (row === null) return null;
  const { fingerprint, claimedUntil, resourceType, resourceId, answer, createdAt } = row;
  const committed = resourceType !== null && resourceId !== null;
  const change = committed
    ? { resourceType: resourceType as NotedChange["resourceType"], resourceId }
    : null;
  return { fingerprint, claimedUntil, change, answer, createdAt };
}

/** Takes an unanswered call over once its claim has run out; false when somebody else was faster. */
export async function takeOverCall(
  client: Tx,
  { owner, key, attempt }: IdempotencyClaim,
  { now, claimedUntil }: Pick<Terms, "now" | "claimedUntil">,
): Promise<boolean> {
  const { count } = await client.idempotencyKey.updateMany({
    where: { owner, key, answer: null, claimedUntil: { lte: now } },
    data: { claim: attempt, claimedUntil },
  });
  return count === 1;
}

/**
 * Notes under the key what is being changed. The row stays locked until commit, so that either the
 * change and its note are both there or another attempt may take over.
 * @throws DomainError `IdempotentRequestInProgress` when another attempt did
 */
export async function noteChange(
  tx: Tx,
  claim: IdempotencyClaim,
  { resourceType, resourceId }: NotedChange,
): Promise<void> {
  const { count } = await tx.idempotencyKey.updateMany({
    where: heldBy(claim),
    data: { resourceType, resourceId },
  });
  if (count === 1) return;
  const detail = "another call with this idempotency key has taken over";
  throw new DomainError("IdempotentRequestInProgress", detail, { retryAfterSeconds: 1 });
}

/** Stores the answer of an attempt, unless another has taken over. */
export async function storeAnswer(
  client: Tx,
  claim: IdempotencyClaim,
  sealed: Uint8Array,
): Promise<void> {
  const answer = new Uint8Array(sealed);
  await client.idempotencyKey.updateMany({ where: heldBy(claim), data: { answer } });
}

/** Gives the key free: as unused, or, when a change was committed, for an answer to be found. */
export async function releaseCall(client: Tx, claim: IdempotencyClaim, now: Date): Promise<void> {
  const held = heldBy(claim);
  await client.idempotencyKey.deleteMany({ where: { ...held, resourceId: null } });
  await client.idempotencyKey.updateMany({ where: held, data: { claimedUntil: now } });
}

/** Lets unanswered calls be taken over at once. */
export async function endClaims(client: Tx, now: Date): Promise<void> {
  await client.idempotencyKey.updateMany({
    where: { answer: null, claimedUntil: { gt: now } },
    data: { claimedUntil: now },
  });
}

/** Forgets what was called before; what somebody holds is left for the next time. */
export async function removeOldCalls(client: Tx, createdUntil: Date): Promise<void> {
  await client.$executeRaw`
    DELETE FROM "idempotency_key" WHERE ("owner", "key") IN (
      SELECT "owner", "key" FROM "idempotency_key"
      WHERE "created_at" <= ${createdUntil}::timestamptz
      FOR UPDATE SKIP LOCKED)`;
}

/** Forgets one call, when it is as old. */
export async function removeOldCall(
  client: Tx,
  createdUntil: Date,
  { owner, key }: IdempotencyClaim,
): Promise<void> {
  const where = { owner, key, createdAt: { lte: createdUntil } };
  await client.idempotencyKey.deleteMany({ where });
}

function heldBy({ owner, key, attempt }: IdempotencyClaim) {
  return { owner, key, claim: attempt, answer: null };
}

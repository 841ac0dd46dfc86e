import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { DomainError } from "../domain/errors.js";
import type { IdempotencyClaim } from "../domain/idempotency.js";
import type { Principal } from "../domain/principal.js";
import { aside } from "../domain/turn.js";
import {
  endClaims,
  findCall,
  insertCall,
  type NotedChange,
  releaseCall,
  removeOldCall,
  removeOldCalls,
  type StoredCall,
  storeAnswer,
  takeOverCall,
} from "../store/idempotency.js";
import type { ServiceContext } from "./context.js";

export type { NotedChange } from "../store/idempotency.js";

/** How long the answer to a call with an idempotency key is kept. */
const KEPT_MS = 24 * 3_600_000;

/** Longer than any call takes: `?wait=` holds one for up to 30 s. */
const CLAIM_MS = 45_000;

/** How long a call waits for an equal one that is under way. */
const PATIENCE_MS = 5000;
const FIRST_LOOK_MS = 10;
const LONGEST_LOOK_MS = 250;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is to be done about a call with an idempotency key. */
export type Verdict =
  | { readonly kind: "run"; readonly claim: IdempotencyClaim }
  /** Its change was committed by an attempt that never answered. */
  | { readonly kind: "recover"; readonly claim: IdempotencyClaim; readonly change: NotedChange }
  | { readonly kind: "replay"; readonly answer: Answer };

/**
 * Claims an idempotency key for a call, waiting for an equal one that is under way.
 * @throws DomainError `IdempotentParameterMismatch`, `IdempotentRequestInProgress`
 */
export async function claimKey(
  ctx: ServiceContext,
  caller: Principal,
  key: string,
  fingerprint: string,
): Promise<Verdict> {
  const owner = caller.tenantId ?? "operator";
  const claim: IdempotencyClaim = { owner, key, attempt: randomUUID() };
  const deadline = performance.now() + PATIENCE_MS;
  for (let look = FIRST_LOOK_MS; ; look = Math.min(look * 2, LONGEST_LOOK_MS)) {
    const verdict = await judge(ctx, claim, fingerprint);
    if (verdict !== undefined) return verdict;
    if (performance.now() + look > deadline) throw inProgress();
    await aside(caller, () => delay(look));
  }
}

/** Keeps the answer of a call for those that repeat it. */
export async function keepAnswer(
  ctx: ServiceContext,
  claim: IdempotencyClaim,
  answer: Answer,
): Promise<void> {
  const sealed = ctx.secrets.seal(JSON.stringify(answer), associatedData(claim));
  await storeAnswer(ctx.db, claim, sealed);
}

/** Ends a call whose answer is not kept: when it has changed nothing, a repetition runs again. */
export async function releaseKey(ctx: ServiceContext, claim: IdempotencyClaim): Promise<void> {
  await releaseCall(ctx.db, claim, ctx.clock());
}

/**
 * At the start of a daemon: calls that were under way when the last one died need not be waited
 * for. Harmless to another daemon's calls: who is overtaken can commit nothing any more.
 */
export async function endAbandonedClaims(ctx: ServiceContext): Promise<void> {
  await endClaims(ctx.db, ctx.clock());
}

/** Forgets keys whose time is up. */
export async function forgetIdempotencyKeys(ctx: ServiceContext): Promise<void> {
  await removeOldCalls(ctx.db, forgottenUntil(ctx.clock()));
}

/** Undefined: look again in a moment. */
async function judge(
  ctx: ServiceContext,
  claim: IdempotencyClaim,
  fingerprint: string,
): Promise<Verdict | undefined> {
  const now = ctx.clock();
  const claimedUntil = new Date(now.getTime() + CLAIM_MS);
  const terms = { fingerprint, now, claimedUntil };
  if (await insertCall(ctx.db, claim, terms)) return { kind: "run", claim };
  const call = await findCall(ctx.db, claim);
  if (call === null) return undefined;
  if (call.createdAt <= forgottenUntil(now)) {
    await removeOldCall(ctx.db, forgottenUntil(now), claim);
    return undefined;
  }
  if (call.fingerprint !== fingerprint) throw mismatch();
  if (call.answer !== null) return { kind: "replay", answer: opened(ctx, claim, call.answer) };
  if (call.claimedUntil > now || !(await takeOverCall(ctx.db, claim, terms))) return undefined;
  return verdictAfterTakeover(claim, await findCall(ctx.db, claim));
}

/** The change is read once the claim is held: from then on nobody else commits one. */
function verdictAfterTakeover(
  claim: IdempotencyClaim,
  call: StoredCall | null,
): Verdict | undefined {
  if (call === null) return undefined;
  if (call.change === null) return { kind: "run", claim };
  return { kind: "recover", claim, change: call.change };
}

function opened(ctx: ServiceContext, claim: IdempotencyClaim, sealed: Uint8Array): Answer {
  return JSON.parse(ctx.secrets.unseal(sealed, associatedData(claim))) as Answer;
}

/** No owner holds a space, so that no two rows share it. */
function associatedData({ owner, key }: IdempotencyClaim): string {
  return `idempotency ${owner} ${key}`;
}

function forgottenUntil(now: Date): Date {
  return new Date(now.getTime() - KEPT_MS);
}

function mismatch(): DomainError {
  const detail = "this idempotency key was used for a call with another path or body";
  return new DomainError("IdempotentParameterMismatch", detail);
}

function inProgress(): DomainError {
  const detail = "a call with this idempotency key is under way; repeat it in a moment";
  return new DomainError("IdempotentRequestInProgress", detail, { retryAfterSeconds: 1 });
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { IdempotencyClaim } from "../../domain/idempotency.js";
import type { ServiceContext } from "../../services/context.js";
import {
  type Answer,
  claimKey,
  keepAnswer,
  releaseKey,
  type Verdict,
} from "../../services/idempotency.js";
import type { ProblemCode } from "../problems/codes.js";
import { isLasting } from "../problems/lasting.js";
import { IDEMPOTENCY_KEY } from "../rest/idempotency-header.js";
import { changesSomething, type OperationId, routeEntry } from "../rest/route-table.js";
import { principalOf } from "./authentication.js";
import { callFingerprint } from "./idempotency-fingerprint.js";
import { recoverAnswer } from "./idempotency-recovery.js";

declare module "fastify" {
  interface FastifyRequest {
    /** What this call may answer under its idempotency key; undefined without one. */
    claim: IdempotencyClaim | undefined;
  }
}

const REPLAYED = "idempotent-replayed";

/** Headers that are part of an answer and not of its delivery. */
const KEPT_HEADERS = ["content-type", "cache-control"];

/**
 * Gives equal calls with the same `Idempotency-Key` the same answer, and lets only one of them
 * change anything. To be called on the scope that asks for credentials.
 */
export function idempotencyKeys(scope: FastifyInstance, ctx: ServiceContext): void {
  scope.decorateRequest("claim", undefined);
  scope.addHook("preHandler", async (request, reply) => {
    const call = keyedCall(request);
    if (call === undefined) return undefined;
    const fingerprint = callFingerprint(request, call.operationId);
    const verdict = await claimKey(ctx, principalOf(request), call.key, fingerprint);
    return follow(ctx, verdict, request, reply);
  });
  scope.addHook("onSend", async (request, reply, payload) => {
    if (request.claim !== undefined) await conclude(ctx, request.claim, request, reply, payload);
  });
}

/**
 * The operation and key of a call that has one. A caller who may not make the call is refused by
 * the call itself, and learns nothing of what others did under the same key.
 */
function keyedCall(request: FastifyRequest): { operationId: OperationId; key: string } | undefined {
  const { operationId } = request.routeOptions.config;
  const key = request.headers[IDEMPOTENCY_KEY];
  if (operationId === undefined || typeof key !== "string") return undefined;
  const entry = routeEntry(operationId);
  if (!changesSomething(entry) || request.rehearsal !== undefined) return undefined;
  const permissions: ReadonlySet<string> = principalOf(request).permissions;
  return permissions.has(entry.access) ? { operationId, key } : undefined;
}

async function follow(
  ctx: ServiceContext,
  verdict: Verdict,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (verdict.kind === "replay") return send(reply, verdict.answer);
  const { claim } = verdict;
  request.claim = claim;
  if (verdict.kind === "recover") {
    return send(reply, await recoverAnswer(ctx, request, verdict.change));
  }
  request.caller = { ...principalOf(request), claim };
  return undefined;
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).header(REPLAYED, "true").send(body);
}

/** Before the answer goes out: afterwards nobody would remember it. */
async function conclude(
  ctx: ServiceContext,
  claim: IdempotencyClaim,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const { statusCode: status, problemCode } = reply;
  const body = typeof payload === "string" ? payload : "";
  const work = isKept(status, problemCode)
    ? keepAnswer(ctx, claim, { status, headers: keptHeaders(reply), body })
    : releaseKey(ctx, claim);
  // The change itself is committed or not; a repetition finds out which.
  await work.catch((error: unknown) => {
    request.log.warn({ err: error }, "the answer could not be kept for repetitions of the call");
  });
}

/** Successes, and refusals that no repetition is to be spared. */
function isKept(status: number, problemCode: ProblemCode | undefined): boolean {
  if (status < 300) return true;
  // Without a code it was read anew for an answer that was lost: what was made is gone.
  return problemCode === undefined ? status === 404 : isLasting(problemCode);
}

function keptHeaders(reply: FastifyReply): Record<string, string> {
  const pairs = KEPT_HEADERS.map((name) => [name, reply.getHeader(name)] as const);
  return Object.fromEntries(
    pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

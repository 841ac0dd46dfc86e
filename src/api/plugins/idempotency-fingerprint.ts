import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { OperationId } from "../rest/route-table.js";

/**
 * SHA-256 of what a validated call asks for, in hex. How its JSON is written makes no difference,
 * nor does the query: it says how long to wait, and whether to insist on what was refused before.
 */
export function callFingerprint(request: FastifyRequest, operationId: OperationId): string {
  const { params, body } = request;
  const call = JSON.stringify(withSortedKeys({ operationId, params, body: body ?? {} }));
  return createHash("sha256").update(call).digest("hex");
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, withSortedKeys(inner)]));
}

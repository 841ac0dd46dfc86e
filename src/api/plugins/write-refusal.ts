import type { FastifyInstance } from "fastify";
import type { DomainError } from "../../domain/errors.js";
import { changesSomething, routeEntry } from "../rest/route-table.js";

/** Why this daemon may change nothing at present, for any caller to read; undefined when it may. */
export type WriteRefusal = () => DomainError | undefined;

/** The first reason of several. */
export function anyRefusal(...reasons: readonly WriteRefusal[]): WriteRefusal {
  return () => {
    for (const reason of reasons) {
      const refusal = reason();
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

/**
 * Refuses every call that would change something while there is a reason to, before anything else
 * is done for it: no idempotency key is claimed, and none is answered from what may be an old copy.
 * To be called on the scope that asks for credentials, after that.
 */
export function refuseWrites(scope: FastifyInstance, writeRefusal: WriteRefusal): void {
  scope.addHook("onRequest", async (request) => {
    const { operationId } = request.routeOptions.config;
    if (operationId === undefined || !changesSomething(routeEntry(operationId))) return;
    const refusal = writeRefusal();
    if (refusal !== undefined) throw refusal;
  });
}

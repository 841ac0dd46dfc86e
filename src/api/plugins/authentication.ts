import type { FastifyInstance, FastifyRequest } from "fastify";
import { DomainError } from "../../domain/errors.js";
import type { Principal } from "../../domain/principal.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who is calling; undefined on routes that need no credential. */
    caller: Principal | undefined;
  }
}

const BEARER = /^Bearer +([^\s]+)$/i;

export type Authenticate = (bearerToken: string) => Promise<Principal>;

/** Counts one request against a key; throws TooManyRequests beyond the limit. */
export type CountRequest = (request: FastifyRequest, key: string) => Promise<void>;

/** To be called on the root, so that hooks of every scope may ask who is calling. */
export function declareCaller(app: FastifyInstance): void {
  app.decorateRequest("caller", undefined);
}

/**
 * Lets only requests with a valid credential into this scope, and no more of them than allowed.
 * Refused ones count against the address they come from.
 */
export function requireCredential(
  scope: FastifyInstance,
  authenticate: Authenticate,
  count: CountRequest,
): void {
  scope.addHook("onRequest", async (request) => {
    try {
      request.caller = await authenticate(bearerToken(request));
    } catch (error) {
      if (isUnauthenticated(error)) await count(request, `address ${request.ip}`);
      throw error;
    }
    await count(request, request.caller.accessKeyId ?? "operator");
  });
}

/** @throws DomainError `Unauthenticated` */
export function bearerToken(request: FastifyRequest): string {
  const token = BEARER.exec(request.headers.authorization ?? "")?.[1];
  if (token !== undefined) return token;
  throw new DomainError("Unauthenticated", "send the header Authorization: Bearer TOKEN");
}

/** Who is calling, on routes behind `requireCredential`. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.caller === undefined) throw new Error(`${request.url} is not authenticated`);
  return request.caller;
}

export function callerOf(request: FastifyRequest): Principal | undefined {
  return request.caller;
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof DomainError && error.code === "Unauthenticated";
}

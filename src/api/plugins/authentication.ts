import type { FastifyInstance, FastifyRequest } from "fastify";
import { DomainError } from "../../domain/errors.js";
import type { Principal } from "../../domain/principal.js";
import type { RequestLimits } from "../limits/request-limits.js";
import type { OperationId } from "../rest/route-table.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who is calling; undefined without a valid credential. */
    caller: Principal | undefined;
  }

  interface FastifyInstance {
    /** Finds out who is calling, and counts. For requests that pass no hook. */
    admit(request: FastifyRequest): Promise<void>;
  }
}

const BEARER = /^Bearer +([^\s]+)$/i;

const LOOPBACK = /^(::ffff:)?127\.|^::1$/i;

/** Any of these tells that a proxy has passed a request on, whether or not it is a trusted one. */
const OF_PROXIES = /^(forwarded|via|x-real-ip|x-forwarded(-.+)?)$/;

/**
 * Asked again and again by those who end a daemon that does not answer, and by a balancer from the
 * address from which all others come as well. They cost next to nothing.
 */
export const UNCOUNTED_OPERATIONS: readonly OperationId[] = ["livez", "readyz"];

export type Authenticate = (bearerToken: string) => Promise<Principal>;

/**
 * Finds out who is calling and counts every request, of all routes and of none, before anything is
 * done for it. One with a valid credential counts against that alone, whatever others do at its
 * address; any other one counts against the address that it comes from, so that nobody uses up the
 * limit of a key without its secret. To be called on the root.
 */
export function admitRequests(
  app: FastifyInstance,
  authenticate: Authenticate,
  limits: RequestLimits,
): void {
  const admit = async (request: FastifyRequest): Promise<void> => {
    const { operationId } = request.routeOptions.config;
    if (operationId !== undefined && UNCOUNTED_OPERATIONS.includes(operationId)) return;
    request.caller = await identify(request, authenticate);
    if (request.caller !== undefined) limits.countCaller(request.caller);
    else if (operationId === "metrics" && isLocal(request)) limits.countLocalMetrics();
    else limits.countAddress(request.ip);
  };
  app.decorateRequest("caller", undefined);
  app.decorate("admit", admit);
  app.addHook("onRequest", admit);
}

/** Lets only requests with a valid credential into this scope. */
export function requireCredential(scope: FastifyInstance): void {
  scope.addHook("onRequest", async (request) => {
    if (request.caller === undefined) throw unauthenticated(request);
  });
}

/** Why a request is refused that `admitRequests` has found no caller for. */
export function unauthenticated(request: FastifyRequest): DomainError {
  const detail =
    tokenOf(request) === undefined
      ? "send the header Authorization: Bearer TOKEN"
      : "the request carries no valid credential";
  return new DomainError("Unauthenticated", detail);
}

/** @throws DomainError `Unauthenticated` */
export function bearerToken(request: FastifyRequest): string {
  const token = tokenOf(request);
  if (token !== undefined) return token;
  throw unauthenticated(request);
}

/** Who is calling, on routes behind `requireCredential`. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.caller === undefined) throw new Error(`${request.url} is not authenticated`);
  return request.caller;
}

export function callerOf(request: FastifyRequest): Principal | undefined {
  return request.caller;
}

/** From this host, and not through a proxy on it. */
export function isLocal(request: FastifyRequest): boolean {
  const isForwarded = Object.keys(request.headers).some((name) => OF_PROXIES.test(name));
  return !isForwarded && LOOPBACK.test(request.ip);
}

async function identify(
  request: FastifyRequest,
  authenticate: Authenticate,
): Promise<Principal | undefined> {
  const token = tokenOf(request);
  if (token === undefined) return undefined;
  try {
    return await authenticate(token);
  } catch (error) {
    if (error instanceof DomainError && error.code === "Unauthenticated") return undefined;
    throw error;
  }
}

function tokenOf(request: FastifyRequest): string | undefined {
  return BEARER.exec(request.headers.authorization ?? "")?.[1];
}

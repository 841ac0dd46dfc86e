import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { TooManyRequests } from "../problems/too-many-requests.js";
import type { CountRequest } from "./authentication.js";

const WINDOW_MS = 1000;

/**
 * Registers the limiter and returns the function that counts a request against a key.
 * @param perSecond 0 for no limit
 */
export async function requestCounter(
  app: FastifyInstance,
  perSecond: number,
): Promise<CountRequest> {
  if (perSecond === 0) return async () => {};
  const keys = new WeakMap<FastifyRequest, string>();
  await app.register(rateLimit, { global: false });
  const check = app.createRateLimit({
    max: perSecond,
    timeWindow: WINDOW_MS,
    keyGenerator: (request) => keys.get(request) ?? request.ip,
  });
  return async (request, key) => {
    keys.set(request, key);
    const verdict = await check(request);
    if (!verdict.isAllowed && verdict.isExceeded) {
      throw new TooManyRequests(Math.max(1, verdict.ttlInSeconds));
    }
  };
}

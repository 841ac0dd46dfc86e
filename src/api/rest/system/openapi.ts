import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { endpoint } from "../endpoint.js";

/** The description of all routes. */
export function openapiRoute(scope: FastifyInstance): void {
  scope.route({
    ...endpoint("openapi", { response: { 200: z.looseObject({}) } }),
    handler: async (_request, reply) => {
      const text = scope.descriptionText();
      return reply.type("application/json; charset=utf-8").serializer(String).send(text);
    },
  });
}

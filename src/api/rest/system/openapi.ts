import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { endpoint } from "../endpoint.js";

/** The description of all routes. Anybody may ask for it, so it is put into words once only. */
export function openapiRoute(scope: FastifyInstance): void {
  let text: string | undefined;
  scope.route({
    ...endpoint("openapi", { response: { 200: z.looseObject({}) } }),
    handler: async (_request, reply) => {
      text ??= JSON.stringify(scope.swagger());
      return reply.type("application/json; charset=utf-8").serializer(String).send(text);
    },
  });
}

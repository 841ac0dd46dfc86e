import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Where a person reads the description. */
export const PAGES = "/docs";

/** The package's words for paths that lead nowhere, out of its folder or around a rule. */
const NOT_SERVED: readonly unknown[] = [400, 403, 404];

/** The browsable description, which a package serves from a folder of its own. */
export async function pages(app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    scope.setErrorHandler(hideWhatIsNotServed);
    await scope.register(swaggerUi, {
      routePrefix: PAGES,
      // The page loads what this daemon serves, and nothing from elsewhere.
      staticCSP: true,
      uiConfig: { deepLinking: true, validatorUrl: null },
      uiHooks: {
        // The plugin would put the description into words for each request.
        preHandler: async ({ routeOptions }, reply) => {
          if (routeOptions.url !== `${PAGES}/json`) return;
          return reply.type("application/json; charset=utf-8").send(app.descriptionText());
        },
      },
    });
  });
}

/** What will not be served is not there: the reasons tell of files. */
async function hideWhatIsNotServed(
  error: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const isHidden =
    error instanceof Error && "statusCode" in error && NOT_SERVED.includes(error.statusCode);
  if (!isHidden) throw error;
  reply.callNotFound();
  return reply;
}

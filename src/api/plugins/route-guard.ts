import type { FastifyInstance } from "fastify";
import { PAGES } from "./pages.js";

/** Refuses routes that are not in the route table, where access and expectations are written. */
export function onlyTabledRoutes(app: FastifyInstance): void {
  app.addHook("onRoute", ({ url, method, config }) => {
    const isPage = url === PAGES || url.startsWith(`${PAGES}/`);
    if (isPage || config?.operationId !== undefined) return;
    throw new Error(`${method} ${url} is not in the route table`);
  });
}

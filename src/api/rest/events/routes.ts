import { listEvents } from "../../../services/events.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { presentEvent } from "./mapper.js";
import { eventListSchema, eventPageSchema } from "./schema.js";
import { eventStreamRoutes } from "./stream.js";

const DEFAULT_LIMIT = 100;

export const eventRoutes: RouteGroup = (scope, deps) => {
  const { context } = deps;
  typed(scope).route({
    ...endpoint("listEvents", { querystring: eventListSchema, response: { 200: eventPageSchema } }),
    handler: async (request) => {
      const { after = 0, limit = DEFAULT_LIMIT } = request.query;
      const events = await listEvents(context, principalOf(request), { after, limit });
      return { items: events.items.map(presentEvent), nextAfter: events.nextAfter };
    },
  });
  eventStreamRoutes(scope, deps);
};

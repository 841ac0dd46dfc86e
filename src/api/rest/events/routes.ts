import type { PageRequest, ResourceEvent } from "../../../domain/resources.js";
import { letOthersGoFirst } from "../../../domain/turn.js";
import { emptyListEnd, listEvents } from "../../../services/events.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { fillPage } from "../page-filling.js";
import { DEFAULT_LIMIT } from "../query.js";
import { presentEvent } from "./mapper.js";
import { eventListSchema, eventPageSchema } from "./schema.js";
import { eventStreamRoutes } from "./stream.js";

export const eventRoutes: RouteGroup = (scope, deps) => {
  typed(scope).route({
    ...endpoint("listEvents", { querystring: eventListSchema, response: { 200: eventPageSchema } }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { after = 0, limit = DEFAULT_LIMIT } = request.query;
      const source = {
        read: (page: PageRequest) => listEvents(request.services, caller, page),
        present: presentEvent,
        positionOf: ({ id }: ResourceEvent) => id,
        pause: () => letOthersGoFirst(caller),
      };
      const { items, last } = await fillPage({ limit, after }, source);
      return { items, nextAfter: last > 0 ? last : await emptyListEnd(request.services, caller) };
    },
  });
  eventStreamRoutes(scope, deps);
};

import { z } from "zod";
import { RESOURCE_TYPES } from "../../../domain/resources.js";
import { time } from "../fields.js";
import { eventId, limit } from "../query.js";

export const eventSchema = z
  .object({
    id: z.int().describe("Grows in commit order"),
    time,
    actor: z.object({
      kind: z.enum(["operator", "access-key", "system"]),
      tenantId: z.string().nullable(),
      accessKeyId: z.string().nullable(),
    }),
    resource: z.object({
      type: z.enum(RESOURCE_TYPES),
      id: z.string().describe("Of a route, the id of its table"),
    }),
    action: z.string(),
    before: z.string().nullable(),
    after: z.string().nullable(),
  })
  .meta({ id: "Event" });

export const eventListSchema = z.strictObject({
  after: eventId
    .optional()
    .describe("nextAfter of the answer before; 410 when an event after it is missing by now"),
  limit,
});

export const eventPageSchema = z.object({
  items: z.array(eventSchema),
  nextAfter: z.int().describe("Continues the list, also when it is at its end"),
});

export const eventStreamSchema = z.strictObject({
  after: eventId.optional().describe("Start after this event; from now on unless told"),
});

export const eventStreamHeaders = z.looseObject({
  "last-event-id": z
    .union([eventId, z.literal("")], "expected a whole number from 0 on")
    .optional()
    .describe("Resume after this event; goes before `after`"),
});

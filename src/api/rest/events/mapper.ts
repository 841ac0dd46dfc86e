import type { z } from "zod";
import type { ResourceEvent } from "../../../domain/resources.js";
import type { eventSchema } from "./schema.js";

export function presentEvent(event: ResourceEvent): z.output<typeof eventSchema> {
  const { id, time, actor, resourceType, resourceId, action, before, after } = event;
  const { kind, tenantId, accessKeyId } = actor;
  return {
    id,
    time: time.toISOString(),
    actor: { kind, tenantId, accessKeyId },
    resource: { type: resourceType, id: resourceId },
    action,
    before,
    after,
  };
}

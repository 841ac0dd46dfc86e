import type { Principal } from "../domain/principal.js";
import type { ResourceType } from "../domain/resources.js";
import type { Change } from "../store/change.js";
import { actorOf } from "./authentication.js";

/** The event of a resource that has no states but being there. */
export function resourceChange(
  caller: Principal,
  resourceType: ResourceType,
  tenantId: string,
  resourceId: string,
  action: "create" | "update" | "delete" | "add-rule" | "remove-rule",
): Change {
  return {
    actor: actorOf(caller),
    resourceType,
    resourceId,
    action,
    before: action === "create" ? null : "available",
    after: action === "delete" ? null : "available",
    tenantId,
  };
}

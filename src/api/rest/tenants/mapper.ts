import type { z } from "zod";
import type { Principal } from "../../../domain/principal.js";
import type { Tenant } from "../../../domain/resources.js";
import type { tenantSchema, whoamiSchema } from "./schema.js";

export function presentTenant(tenant: Tenant): z.output<typeof tenantSchema> {
  const { id, name, suspended, createdAt } = tenant;
  return { id, name, suspended, createdAt: createdAt.toISOString() };
}

export function presentPrincipal(principal: Principal): z.output<typeof whoamiSchema> {
  const { tenantId, roles, permissions } = principal;
  return { tenantId, roles: [...roles], permissions: [...permissions] };
}

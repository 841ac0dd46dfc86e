import { z } from "zod";
import { PERMISSIONS, TENANT_ROLES } from "../../../domain/permissions.js";
import { optionalBody, requiredName, tenantId, time } from "../fields.js";

export const tenantSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    suspended: z.boolean().describe("Its keys are refused; its traffic goes on"),
    createdAt: time,
  })
  .meta({ id: "Tenant" });

export const createTenantSchema = z.strictObject({
  name: requiredName,
  id: tenantId.optional().describe("12 digits; chosen at random unless given"),
});

export const updateTenantSchema = optionalBody({
  name: requiredName.optional(),
  suspended: z.boolean().optional(),
});

export const tenantPathSchema = z.strictObject({ id: tenantId });

export const whoamiSchema = z.object({
  tenantId: z.string().nullable().describe("Null for the platform operator"),
  roles: z.array(z.enum([...TENANT_ROLES, "operator"])),
  permissions: z.array(z.enum(PERMISSIONS)),
});

import { z } from "zod";
import { TENANT_ROLES } from "../../../domain/permissions.js";
import {
  accessKeyId,
  name,
  nameOrNull,
  optionalBody,
  refuseRepetitions,
  tenantId,
  time,
} from "../fields.js";

const roles = z.array(z.enum(TENANT_ROLES));

export const accessKeySchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    name: nameOrNull,
    roles,
    createdAt: time,
    lastUsedAt: time
      .nullable()
      .describe("When a request came with it last; after a crash up to a minute too early"),
  })
  .meta({ id: "AccessKey" });

export const issuedAccessKeySchema = accessKeySchema
  .extend({
    secret: z.string().describe("Shown this once"),
    token: z.string().describe("The bearer token: id and secret; shown this once"),
  })
  .meta({ id: "IssuedAccessKey" });

export const createAccessKeySchema = z.strictObject({
  roles: roles.min(1).max(TENANT_ROLES.length).superRefine(refuseRepetitions),
  name: name.optional(),
});

export const updateAccessKeySchema = optionalBody({ name: nameOrNull.optional() });

export const accessKeyPathSchema = z.strictObject({ id: tenantId, keyId: accessKeyId });

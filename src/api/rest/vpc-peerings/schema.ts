import { z } from "zod";
import { PEERING_STATES } from "../../../domain/lifecycle.js";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import { id, name, optionalBody, tags, tenantId, time } from "../fields.js";
import { taggedListQuery } from "../query.js";

const optionsSchema = z.object({ allowDnsResolutionFromRemoteVpc: z.boolean() });

const sideSchema = z.object({
  tenantId: z.string(),
  vpcId: z.string(),
  cidrBlocks: z
    .array(z.string())
    .describe("The accepter's are hidden from the requester until the peering has been active"),
  options: optionsSchema,
});

export const vpcPeeringSchema = z
  .object({
    id: z.string(),
    state: z.enum(PEERING_STATES),
    statusMessage: z.string(),
    requester: sideSchema,
    accepter: sideSchema,
    name: z.string().nullable().describe("The caller's own; each side has its own name and tags"),
    tags,
    expiresAt: time.nullable().describe("When a pending request expires"),
    createdAt: time,
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "VpcPeering" });

export const requestPeeringSchema = z.strictObject({
  requesterVpcId: id("vpc"),
  accepterVpcId: id("vpc"),
  accepterTenantId: tenantId.optional().describe("The caller's own tenant unless given"),
  autoRoutes: z
    .boolean()
    .optional()
    .describe("Route to the accepter's blocks; contested routes are withheld; true unless given"),
  name: name.optional(),
  tags: tags.optional(),
});

export const acceptPeeringSchema = optionalBody({
  autoRoutes: z
    .boolean()
    .optional()
    .describe("Route to the requester's blocks; refused where one is contested; true unless given"),
});

export const emptyBodySchema = optionalBody({});

export const peeringOptionsSchema = z.strictObject({
  allowDnsResolutionFromRemoteVpc: z.boolean(),
});

export const peeringListSchema = taggedListQuery({
  state: z.enum(PEERING_STATES).optional(),
  vpcId: id("vpc").optional(),
  role: z.enum(["requester", "accepter"]).optional(),
});

export const peeringFlowsSchema = z.object({
  bridges: z.array(z.object({ bridge: z.string(), flows: z.array(z.string()) })),
});

import { z } from "zod";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import { id, ipAddress, macAddress, name, tags, time } from "../fields.js";
import { taggedListQuery } from "../query.js";

export const networkInterfaceSchema = z
  .object({
    id: z.string(),
    subnetId: z.string(),
    vpcId: z.string(),
    tenantId: z.string(),
    privateIp: z.string(),
    macAddress: z.string(),
    gateway: z.string(),
    state: z.enum(["available", "in-use"]).describe("In use once a port is bound to it"),
    name: z.string().nullable(),
    tags,
    createdAt: time,
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "NetworkInterface" });

export const createNetworkInterfaceSchema = z.strictObject({
  subnetId: id("subnet"),
  privateIp: ipAddress.optional(),
  macAddress: macAddress.optional(),
  name: name.optional(),
  tags: tags.optional(),
});

export const networkInterfaceListSchema = taggedListQuery({
  vpcId: id("vpc").optional(),
  subnetId: id("subnet").optional(),
});

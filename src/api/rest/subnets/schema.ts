import { z } from "zod";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import { availabilityZone, cidrBlock, id, name, tags, time } from "../fields.js";
import { taggedListQuery } from "../query.js";

export const subnetSchema = z
  .object({
    id: z.string(),
    vpcId: z.string(),
    tenantId: z.string(),
    cidrBlock: z.string(),
    gateway: z.string().describe("The first host of the block"),
    availabilityZone: z.string(),
    routeTableId: z
      .string()
      .nullable()
      .describe("The route table that it is associated with; null: it follows its VPC's main one"),
    name: z.string().nullable(),
    tags,
    createdAt: time,
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "Subnet" });

export const createSubnetSchema = z.strictObject({
  vpcId: id("vpc"),
  cidrBlock,
  availabilityZone: availabilityZone.optional(),
  name: name.optional(),
  tags: tags.optional(),
});

export const subnetListSchema = taggedListQuery({ vpcId: id("vpc").optional() });

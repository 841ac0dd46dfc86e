import { z } from "zod";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import {
  cidrBlock,
  cidrParameter,
  describeFields,
  id,
  name,
  optionalBody,
  tags,
  time,
} from "../fields.js";
import { taggedListQuery } from "../query.js";

export const vpcSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    name: z.string().nullable(),
    cidrBlocks: z.array(z.object({ cidrBlock: z.string(), primary: z.boolean() })),
    state: z
      .enum(["pending", "available"])
      .describe(
        "Available once it has been made on the switch; `dataPlane` tells of changes since",
      ),
    bridge: z.string().describe("Its Open vSwitch bridge"),
    tags,
    createdAt: time,
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "Vpc" });

export const createVpcSchema = z.strictObject({
  name: name.optional(),
  cidrBlock,
  tags: tags.optional(),
});

export const addCidrBlockSchema = z.strictObject({ cidrBlock });

export const blockParams = z.strictObject({ id: id("vpc"), cidr: cidrParameter });

/** Also of subnets. */
export const describeSchema = optionalBody(describeFields);

export const vpcListSchema = taggedListQuery({ vpcId: id("vpc").optional() });

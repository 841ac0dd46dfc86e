import { z } from "zod";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import { cidrBlock, cidrParameter, id, time } from "../fields.js";
import { listQuery } from "../query.js";

const routeSchema = z.object({
  destinationCidrBlock: z.string(),
  target: z.string().describe('"local", or the id of a VPC peering'),
  state: z
    .enum(["active", "blackhole"])
    .describe("A route to a peering that is not active, or is gone, drops its packets"),
  origin: z
    .enum(["local", "user", "peering"])
    .describe("Follows from a block of the VPC, was made by a call, or came with the peering"),
});

const withheldRouteSchema = z.object({
  destinationCidrBlock: z.string(),
  target: z.string().describe("The id of the VPC peering that it would have come with"),
  contestedBy: z
    .string()
    .nullable()
    .describe("The VPC peering whose traffic it would have taken; null: the table was full"),
  withheldAt: time,
});

export const routeTableSchema = z
  .object({
    id: z.string(),
    vpcId: z.string(),
    tenantId: z.string(),
    main: z.boolean().describe("Followed by every subnet that is associated with no other table"),
    routes: z.array(routeSchema).describe("Local ones first"),
    withheldRoutes: z
      .array(withheldRouteSchema)
      .describe(
        "Automatic routes that did not come. They do not come by themselves any more, and go when they are added by hand, with the peer's block or with the peering",
      ),
    associations: z
      .array(z.string())
      .describe("Ids of the subnets associated with it; none for the main table"),
    createdAt: time,
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "RouteTable" });

export const createRouteTableSchema = z.strictObject({ vpcId: id("vpc") });

export const createRouteSchema = z.strictObject({
  destinationCidrBlock: cidrBlock,
  vpcPeeringId: id("vpcPeering"),
});

export const replaceRouteSchema = z.strictObject({ vpcPeeringId: id("vpcPeering") });

export const associateSchema = z.strictObject({ subnetId: id("subnet") });

export const routeParams = z.strictObject({ id: id("routeTable"), cidr: cidrParameter });

export const associationParams = z.strictObject({ id: id("routeTable"), subnetId: id("subnet") });

export const routeTableListSchema = listQuery({ vpcId: id("vpc").optional() });

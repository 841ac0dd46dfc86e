import { z } from "zod";
import { HIGHEST_PROTOCOL, PROTOCOL_NUMBERS } from "../../../domain/security-rules.js";
import { HIGHEST_PORT } from "../../../domain/traffic.js";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import {
  cidrBlock,
  description,
  id,
  newTags,
  optionalBody,
  requiredName,
  tags,
  time,
} from "../fields.js";
import { taggedListQuery } from "../query.js";

const direction = z.enum(["ingress", "egress"]);

const PROTOCOL_NAMES = [
  ...(Object.keys(PROTOCOL_NUMBERS) as ["tcp", "udp", "icmp"]),
  "all",
] as const;

const protocol = z
  .union(
    [z.enum(PROTOCOL_NAMES), z.int().min(0).max(HIGHEST_PROTOCOL)],
    `expected ${PROTOCOL_NAMES.map((name) => `"${name}"`).join(", ")} or a number from 0 to ${HIGHEST_PROTOCOL}`,
  )
  .describe("By name, or IANA's number");

const port = z.int().min(-1).max(HIGHEST_PORT);

export const securityGroupRuleSchema = z
  .object({
    id: z.string(),
    direction,
    protocol,
    fromPort: z
      .int()
      .nullable()
      .describe("Of a range of ports; ICMP's type, -1 for any; null for other protocols"),
    toPort: z
      .int()
      .nullable()
      .describe("The last of a range of ports; ICMP's code, -1 for any; null for other protocols"),
    cidrBlock: z.string().nullable().describe("The addresses at the other end, or null"),
    securityGroupId: z
      .string()
      .nullable()
      .describe("The group at the other end: its members; or null"),
    securityGroupVpcId: z.string().nullable().describe("The VPC of that group"),
    description: z.string(),
    stale: z
      .boolean()
      .describe(
        "Admits nobody: the group that it names is gone, or no active peering leads to its VPC",
      ),
    limited: z
      .boolean()
      .describe("The group that it names is a peer's and too large: not all members are in force"),
    membersInForce: z
      .int()
      .nullable()
      .describe(
        "Of a group that is too large: so many addresses of its first members, at most; null while all members are in force",
      ),
    message: z.string().nullable().describe("Why it does less than it says; null when it does not"),
    createdAt: time,
  })
  .meta({ id: "SecurityGroupRule" });

export const placedRuleSchema = securityGroupRuleSchema
  .extend({ dataPlane: dataPlaneStatusSchema.describe("As of its group") })
  .meta({ id: "PlacedSecurityGroupRule" });

export const securityGroupSchema = z
  .object({
    id: z.string(),
    vpcId: z.string(),
    tenantId: z.string(),
    name: z.string(),
    description: z.string(),
    default: z.boolean().describe("Given to interfaces that are made without groups"),
    rules: z.array(securityGroupRuleSchema).describe("In the order in which they were added"),
    tags,
    createdAt: time,
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "SecurityGroup" });

export const createSecurityGroupSchema = z.strictObject({
  vpcId: id("vpc"),
  name: requiredName.describe("Free text, once in a VPC and for good"),
  description: description.optional(),
  tags: tags.optional(),
});

export const updateSecurityGroupSchema = optionalBody({
  description: description.optional(),
  tags: newTags,
});

export const createSecurityGroupRuleSchema = z
  .strictObject({
    direction,
    protocol,
    fromPort: port
      .optional()
      .describe("First port, with toPort; all ports without both. For ICMP the type, any without"),
    toPort: port
      .optional()
      .describe("Last port. For ICMP the code, any without, and only with a type"),
    cidrBlock: cidrBlock.optional().describe("An IPv4 block from /0 to /32, such as 10.0.0.4/32"),
    securityGroupId: id("securityGroup")
      .optional()
      .describe("A group of the same VPC, or of one with an active peering"),
    description: description.optional(),
  })
  .superRefine((rule, ctx) => {
    const { cidrBlock: block, securityGroupId: group } = rule;
    if ((block === undefined) !== (group === undefined)) return;
    const [field, message] =
      block === undefined
        ? ["cidrBlock", "expected either cidrBlock or securityGroupId"]
        : ["securityGroupId", "expected cidrBlock or securityGroupId, not both"];
    ctx.addIssue({ code: "custom", path: [field], message });
  });

export const ruleParams = z.strictObject({
  id: id("securityGroup"),
  ruleId: id("securityGroupRule"),
});

export const securityGroupListSchema = taggedListQuery({
  vpcId: id("vpc").optional(),
  name: requiredName.optional(),
});

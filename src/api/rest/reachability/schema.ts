import { z } from "zod";
import { STAGES } from "../../../domain/reachability/trace.js";
import { STOPS, type StopCode } from "../../../domain/reachability/verdict.js";
import { HIGHEST_PROTOCOL, PROTOCOL_NUMBERS } from "../../../domain/security-rules.js";
import { HIGHEST_PORT, ICMP, TCP, UDP } from "../../../domain/traffic.js";
import { id, ipAddress } from "../fields.js";

const OCTET = 255;
/** None is made to port 0: conntrack calls its packets invalid (measured on Open vSwitch 3.1.0). */
const LOWEST_PORT = 1;
const NAMES = Object.keys(PROTOCOL_NUMBERS) as (keyof typeof PROTOCOL_NUMBERS)[];

/** As in the rules of security groups, but for `all`: a connection has one protocol. */
const protocol = z
  .union(
    [z.enum(NAMES), z.int().min(0).max(HIGHEST_PROTOCOL)],
    `expected ${NAMES.map((name) => `"${name}"`).join(", ")} or a number from 0 to ${HIGHEST_PROTOCOL}`,
  )
  .describe("By name, or by IANA's number");

const octet = z.int().min(0).max(OCTET);

export function protocolNumber(given: z.output<typeof protocol>): number {
  return typeof given === "number" ? given : PROTOCOL_NUMBERS[given];
}

interface Opened {
  readonly protocol: z.output<typeof protocol>;
  readonly port?: number | undefined;
  readonly icmpType?: number | undefined;
  readonly icmpCode?: number | undefined;
}

/** What each protocol has, it needs, and what it has not, it may not be given. */
function checkOpening(value: Opened, context: z.RefinementCtx): void {
  const number = protocolNumber(value.protocol);
  const refuse = (field: keyof Opened, message: string) =>
    context.addIssue({ code: "custom", path: [field], message });
  const hasPorts = number === TCP || number === UDP;
  if (hasPorts && value.port === undefined) refuse("port", "tcp and udp need a port");
  if (!hasPorts && value.port !== undefined) refuse("port", "only tcp and udp have ports");
  for (const field of ["icmpType", "icmpCode"] as const) {
    if (number !== ICMP && value[field] !== undefined) refuse(field, "only icmp has it");
  }
}

export const reachabilityBodySchema = z
  .strictObject({
    from: ipAddress.describe("A network interface of one's own, by id or address"),
    to: ipAddress.describe(
      "A network interface of one's own, by id or address, or an address beyond a peering",
    ),
    protocol,
    port: z
      .int()
      .min(LOWEST_PORT)
      .max(HIGHEST_PORT)
      .optional()
      .describe("The port called: tcp, udp"),
    icmpType: octet.optional().describe("8, a ping, unless given"),
    icmpCode: octet.optional().describe("0 unless given"),
    vpcId: id("vpc")
      .optional()
      .describe("The VPC of `from`, where several of one's own have its address"),
    plan: z
      .boolean()
      .optional()
      .describe("Whether to judge as if own ends were plugged in, without following a packet"),
  })
  .superRefine(checkOpening);

const hopId = z.string();
const block = z.string();
const vpcId = hopId;

const routeFields = {
  vpcId,
  routeTableId: hopId,
  destinationCidrBlock: block,
  target: z.string().describe("`local`, or the id of a peering"),
};

const hopSchema = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("interface"),
      vpcId,
      networkInterfaceId: hopId,
      ip: z.string(),
    }),
    z.object({ kind: z.literal("subnet"), vpcId, subnetId: hopId, cidrBlock: block }),
    z.object({ kind: z.literal("route"), ...routeFields }),
    z.object({ kind: z.literal("routeBack"), ...routeFields }).describe("Of the answer"),
    z.object({ kind: z.literal("gateway"), vpcId, ip: z.string() }),
    z.object({
      kind: z.literal("rule"),
      vpcId,
      direction: z.enum(["egress", "ingress"]),
      securityGroupId: hopId,
      securityGroupRuleId: hopId,
    }),
    z.object({
      kind: z.literal("peering"),
      vpcPeeringId: hopId,
      fromVpcId: hopId,
      toVpcId: hopId,
    }),
  ])
  .meta({ id: "ReachabilityHop" });

const stepSchema = z
  .object({
    bridge: z.string(),
    vpcId: z.string().nullable().describe("Null for the exchange"),
    stages: z.array(z.enum(STAGES)).describe("How far the packet gets on this bridge"),
  })
  .meta({ id: "ReachabilityStep" });

const contestedSchema = z
  .object({
    cidrBlock: block,
    vpcPeeringId: hopId,
    withheld: z.boolean().describe("Whether the automatic route to it was withheld"),
  })
  .meta({ id: "ContestedBlock" });

const codes = Object.keys(STOPS) as [StopCode, ...StopCode[]];
const meanings = Object.entries(STOPS).map(([code, meaning]) => `- \`${code}\`: ${meaning}`);

const outcomeFields = {
  reachable: z.boolean().describe("By intent: the first packet arrives, and its answer too"),
  stoppedBy: z
    .enum(codes)
    .optional()
    .describe(`What stops it first:\n${meanings.join("\n")}`),
  reason: z.string().optional(),
  remedy: z.string().optional().describe("What would have to change"),
  pendingPeering: hopId
    .optional()
    .describe("A request for a peering that would help, and waits to be accepted"),
};

export const plannedSchema = z.object(outcomeFields).meta({ id: "PlannedReachability" });

export const reachabilitySchema = z
  .object({
    ...outcomeFields,
    path: z.array(hopSchema).describe("As far as it gets; of a stranger's side nothing"),
    planned: plannedSchema
      .optional()
      .describe(
        "What `plan` would answer, where it is stopped for now only, as by an end that is not plugged in",
      ),
    contested: z
      .array(contestedSchema)
      .optional()
      .describe(
        "Blocks of the peers that have the destination, when there are several or the automatic route to one was withheld: the sender's route table decides",
      ),
    confirmedBySwitch: z.boolean().describe("The installed flows do the same, for the same reason"),
    drift: z.boolean().describe("The installed flows do something else"),
    switch: z.object({
      message: z.string().nullable().describe("Why it is not confirmed"),
      there: z.array(stepSchema).describe("The first packet, as `ofproto/trace` follows it"),
      back: z.array(stepSchema).describe("Its answer"),
    }),
  })
  .meta({ id: "Reachability" });

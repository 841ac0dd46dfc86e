import { z } from "zod";
import { DROP_MEANINGS, type DropReason } from "../../../domain/drops.js";
import { dataPlaneStatusSchema } from "../data-plane/schema.js";
import {
  describeFields,
  id,
  ipAddress,
  macAddress,
  name,
  optionalBody,
  refuseRepetitions,
  tags,
  time,
} from "../fields.js";
import { taggedListQuery } from "../query.js";

const portWarningSchema = z
  .object({
    code: z
      .enum(["hostReachable"])
      .describe("The port's device is open to the host that the switch runs on"),
    message: z.string().describe("Names the port, what is wrong with it and what to do"),
  })
  .meta({ id: "PortWarning" });

const addressPairSchema = z
  .object({
    ipAddress: z.string().describe("An address, or a block of them"),
    macAddress: z.string(),
  })
  .meta({ id: "AddressPair" });

export const networkInterfaceSchema = z
  .object({
    id: z.string(),
    subnetId: z.string(),
    vpcId: z.string(),
    tenantId: z.string(),
    privateIp: z.string(),
    secondaryPrivateIps: z.array(z.string()),
    macAddress: z.string(),
    allowedAddressPairs: z.array(addressPairSchema),
    gateway: z.string(),
    state: z
      .enum(["available", "in-use"])
      .describe("In use while it is plugged into a port that carries packets"),
    securityGroupIds: z.array(z.string()).describe("In the order in which the groups were made"),
    name: z.string().nullable(),
    tags,
    createdAt: time,
    warnings: z
      .array(portWarningSchema)
      .describe("What is amiss with the port though packets pass; empty normally"),
    dataPlane: dataPlaneStatusSchema,
  })
  .meta({ id: "NetworkInterface" });

const dropCountSchema = z
  .object({
    packets: z.int(),
    bytes: z.int().describe("Of whole Ethernet frames, without their check sequence"),
  })
  .meta({ id: "DropCount" });

const WHOSE = { sent: "from", received: "for", either: "from or for" } as const;

function dropCount(reason: DropReason, whose: keyof typeof WHOSE) {
  const meaning = `Packets ${WHOSE[whose]} the interface`;
  return dropCountSchema.describe(`${meaning}: ${DROP_MEANINGS[reason]}`);
}

export const networkInterfaceDropsSchema = z
  .object({
    networkInterfaceId: z.string(),
    readAt: time,
    since: time.nullable().describe("All of the counters have been counting since then, at least"),
    reasons: z
      .object({
        spoofed: dropCount("spoofed", "sent"),
        noRoute: dropCount("noRoute", "sent"),
        blackhole: dropCount("blackhole", "sent"),
        egressPolicy: dropCount("egressPolicy", "sent"),
        notAdmitted: dropCount("notAdmitted", "sent"),
        ingressPolicy: dropCount("ingressPolicy", "received"),
        connectionLimit: dropCount("connectionLimit", "either"),
      })
      .nullable()
      .describe("Null while nothing counts: `message` says why"),
    message: z.string().optional().describe("Why nothing counts"),
  })
  .meta({ id: "NetworkInterfaceDrops" });

const securityGroupIds = z
  .array(id("securityGroup"))
  .min(1)
  .superRefine(refuseRepetitions)
  .describe("Groups of the interface's VPC, at least one; what one of them admits is admitted");

const secondaryPrivateIps = z
  .array(ipAddress)
  .describe("Addresses of the subnet that are the interface's own besides `privateIp`");

const allowedAddressPairs = z
  .array(
    z.strictObject({
      ipAddress: ipAddress.describe("An IPv4 address of the subnet, or a block within it"),
      macAddress: macAddress.optional().describe("The interface's own unless told"),
    }),
  )
  .describe(
    "Addresses that it may send from besides its own, and gets packets for where they are nobody's own. Interfaces that share one get a copy each: which of them answers is their business (VRRP).",
  );

export const createNetworkInterfaceSchema = z.strictObject({
  subnetId: id("subnet"),
  privateIp: ipAddress.optional(),
  secondaryPrivateIps: secondaryPrivateIps.optional(),
  allowedAddressPairs: allowedAddressPairs.optional(),
  macAddress: macAddress.optional(),
  securityGroupIds: securityGroupIds.optional(),
  name: name.optional(),
  tags: tags.optional(),
});

export const updateNetworkInterfaceSchema = optionalBody({
  ...describeFields,
  secondaryPrivateIps: secondaryPrivateIps.optional(),
  allowedAddressPairs: allowedAddressPairs.optional(),
  securityGroupIds: securityGroupIds.optional(),
});

export const networkInterfaceListSchema = taggedListQuery({
  vpcId: id("vpc").optional(),
  subnetId: id("subnet").optional(),
  securityGroupId: id("securityGroup").optional(),
});

export const deleteNetworkInterfaceQuery = z.strictObject({
  force: z
    .enum(["true", "false"])
    .optional()
    .describe("With `true` also while it is plugged in: its port carries nothing from then on"),
});

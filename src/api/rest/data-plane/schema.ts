import { z } from "zod";
import { id, optionalBody, time } from "../fields.js";

export const dataPlaneStatusSchema = z
  .object({
    state: z.enum(["pending", "programmed", "error", "noop"]),
    message: z.string().optional(),
    generation: z.int().describe("The change of intent that made it what it is"),
    observedGeneration: z.int().describe("The change of intent that the switch has followed"),
  })
  .meta({ id: "DataPlaneStatus" });

export const dataPlaneSchema = z.object({
  backend: z.enum(["ovs", "noop"]),
  bridges: z.array(
    z.object({
      bridge: z.string(),
      vpcId: z.string().nullable().describe("Null for the exchange"),
      generation: z.int(),
      observedGeneration: z.int(),
      flowCount: z.int(),
      driftCount: z.int(),
      lastError: z.string().nullable(),
      lastResync: time.nullable(),
    }),
  ),
});

export const reconcileBodySchema = optionalBody({
  dryRun: z.boolean().optional().describe("Compare only"),
  vpcId: id("vpc").optional().describe("Compare this VPC's bridge and the exchange only"),
});

const flows = z.array(z.string());

export const reconcileReportSchema = z.object({
  applied: z.boolean(),
  bridges: z.array(
    z.object({
      bridge: z.string(),
      missing: flows,
      changed: flows,
      unexpected: flows,
      foreign: flows.describe("On the bridge but not ours: reported, never touched"),
    }),
  ),
});

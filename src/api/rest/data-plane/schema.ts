import { z } from "zod";
import { id, optionalBody, time } from "../fields.js";

export const dataPlaneStatusSchema = z
  .object({
    state: z
      .enum(["pending", "programmed", "error", "noop"])
      .describe("`noop`: there is nothing for the switch to do, or no switch"),
    message: z.string().optional(),
    generation: z.int().describe("The change of intent that made it what it is"),
    observedGeneration: z.int().describe("The change of intent that the switch has followed"),
  })
  .meta({ id: "DataPlaneStatus" });

export const unconfirmedSchema = z
  .object({ dataPlane: dataPlaneStatusSchema })
  .describe("Stored, and not confirmed by the switch within the time")
  .meta({ id: "Unconfirmed" });

const settings = z.array(
  z.object({
    object: z.string().describe("`bridge NAME`, `port NAME`, `interface NAME` or `host`"),
    setting: z.string().describe("As ovs-vsctl names it; `existence` of the object itself"),
    found: z.string(),
    wanted: z.string().nullable().describe("Null: it is only reported, and left as it is"),
  }),
);

export const dataPlaneSchema = z.object({
  backend: z.enum(["ovs", "noop"]),
  bridges: z.array(
    z.object({
      bridge: z.string(),
      vpcId: z
        .string()
        .nullable()
        .describe("Null for the exchange, and for a bridge whose VPC is gone"),
      generation: z.int(),
      observedGeneration: z.int(),
      flowCount: z.int(),
      driftCount: z.int(),
      lastError: z.string().nullable(),
      lastResync: time.nullable(),
      settings: settings.describe("What stands otherwise and was not, or may not be, put right"),
    }),
  ),
});

export const reconcileBodySchema = optionalBody({
  dryRun: z.boolean().optional().describe("Compare only"),
  vpcId: id("vpc").optional().describe("Compare this VPC's bridge and the exchange only"),
});

const flows = z.array(z.string());

export const reconcileReportSchema = z.object({
  applied: z.boolean().describe("Whether all of it was done; false in a dry run"),
  bridges: z.array(
    z.object({
      bridge: z.string(),
      missing: flows,
      changed: flows,
      unexpected: flows,
      foreign: flows.describe("On the bridge but not ours: reported, never touched"),
      settings: settings.describe("Of the bridge and its ports: what stands otherwise"),
      error: z
        .string()
        .nullable()
        .describe("Why it could not be looked at, or was not made as desired"),
    }),
  ),
});

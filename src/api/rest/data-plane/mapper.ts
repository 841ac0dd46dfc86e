import type { z } from "zod";
import type {
  BridgeStatus,
  DataPlaneView,
  ReconcileReport,
  SettingDrift,
} from "../../../domain/data-plane.js";
import type { dataPlaneSchema, reconcileReportSchema } from "./schema.js";

export function presentDataPlane(view: DataPlaneView): z.output<typeof dataPlaneSchema> {
  return { backend: view.backend, bridges: view.bridges().map(presentBridge) };
}

function presentBridge(status: BridgeStatus) {
  const { bridge, vpcId, generation, observedGeneration } = status;
  const { flowCount, driftCount, lastError, lastResync } = status;
  return {
    bridge,
    vpcId,
    generation,
    observedGeneration,
    flowCount,
    driftCount,
    lastError,
    lastResync,
    settings: status.settings.map(presentSetting),
  };
}

function presentSetting({ object, setting, found, wanted }: SettingDrift) {
  return { object, setting, found, wanted };
}

export function presentReport(report: ReconcileReport): z.output<typeof reconcileReportSchema> {
  const bridges = report.bridges.map((diff) => {
    const { bridge, missing, changed, unexpected, foreign, error } = diff;
    const settings = diff.settings.map(presentSetting);
    return { bridge, missing, changed, unexpected, foreign, settings, error };
  });
  return { applied: report.applied, bridges };
}

import type { DataPlaneView } from "../../../src/domain/data-plane.js";
import { permissionsOf } from "../../../src/domain/permissions.js";
import type { Principal } from "../../../src/domain/principal.js";

export function principal(tenantId: string): Principal {
  return { tenantId, roles: ["admin"], permissions: new Set(permissionsOf(["admin"])) };
}

export const OPERATOR: Principal = {
  tenantId: null,
  roles: ["operator"],
  permissions: new Set(permissionsOf(["operator"])),
};

/** A view of an Open vSwitch on which everything is as intended and nothing is plugged in. */
export function view(change: Partial<DataPlaneView> = {}): DataPlaneView {
  return {
    backend: "ovs",
    status: (_, generation) => ({
      state: "programmed",
      generation,
      observedGeneration: generation,
    }),
    isMade: () => true,
    removal: (_, generation) => ({
      state: "programmed",
      generation,
      observedGeneration: generation,
    }),
    binding: () => ({ kind: "unbound" }),
    portWarnings: () => [],
    outage: () => undefined,
    deadPorts: () => 0,
    bridgeName: (number) => `bridge${number}`,
    peeringFlows: () => [],
    bridges: () => [],
    dropsOf: async () => null,
    surveyDrops: async () => null,
    connections: async () => null,
    fullInterfaces: () => null,
    ...change,
  };
}

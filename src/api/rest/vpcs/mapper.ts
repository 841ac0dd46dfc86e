import type { z } from "zod";
import { formatCidr } from "../../../domain/cidr.js";
import type { DataPlaneView } from "../../../domain/data-plane.js";
import type { Vpc } from "../../../domain/resources.js";
import type { vpcSchema } from "./schema.js";

export function presentVpc(vpc: Vpc, view: DataPlaneView): z.output<typeof vpcSchema> {
  return {
    id: vpc.id,
    tenantId: vpc.tenantId,
    name: vpc.name,
    cidrBlocks: vpc.blocks.map(({ block, primary }) => ({ cidrBlock: formatCidr(block), primary })),
    state: view.isMade(vpc.id) ? "available" : "pending",
    bridge: view.bridgeName(vpc.number),
    tags: { ...vpc.tags },
    createdAt: vpc.createdAt.toISOString(),
    dataPlane: view.status([vpc.id], vpc.generation),
  };
}

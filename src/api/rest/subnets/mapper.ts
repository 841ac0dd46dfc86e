import type { z } from "zod";
import { formatCidr, formatIp } from "../../../domain/cidr.js";
import type { DataPlaneView } from "../../../domain/data-plane.js";
import type { Subnet } from "../../../domain/resources.js";
import type { subnetSchema } from "./schema.js";

export function presentSubnet(subnet: Subnet, view: DataPlaneView): z.output<typeof subnetSchema> {
  return {
    id: subnet.id,
    vpcId: subnet.vpcId,
    tenantId: subnet.tenantId,
    cidrBlock: formatCidr(subnet.block),
    gateway: formatIp(subnet.gateway),
    availabilityZone: subnet.availabilityZone,
    routeTableId: subnet.routeTableId,
    name: subnet.name,
    tags: { ...subnet.tags },
    createdAt: subnet.createdAt.toISOString(),
    dataPlane: view.status([subnet.vpcId], subnet.generation),
  };
}

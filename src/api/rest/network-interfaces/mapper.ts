import type { z } from "zod";
import { formatIp } from "../../../domain/cidr.js";
import type { Binding, DataPlaneStatus, DataPlaneView } from "../../../domain/data-plane.js";
import type { NetworkInterface } from "../../../domain/resources.js";
import type { networkInterfaceSchema } from "./schema.js";

export function presentNetworkInterface(
  eni: NetworkInterface,
  view: DataPlaneView,
): z.output<typeof networkInterfaceSchema> {
  const binding = view.binding(eni.id);
  return {
    id: eni.id,
    subnetId: eni.subnetId,
    vpcId: eni.vpcId,
    tenantId: eni.tenantId,
    privateIp: formatIp(eni.privateIp),
    macAddress: eni.macAddress,
    gateway: formatIp(eni.gateway),
    state: binding.kind === "bound" ? "in-use" : "available",
    name: eni.name,
    tags: { ...eni.tags },
    createdAt: eni.createdAt.toISOString(),
    dataPlane: interfaceStatus(eni.id, view.status([eni.vpcId], eni.generation), binding),
  };
}

/** A VPC may be all as intended while an interface in it has no port, or one too many. */
function interfaceStatus(id: string, vpc: DataPlaneStatus, binding: Binding): DataPlaneStatus {
  if (vpc.state === "noop" || vpc.state === "error") return vpc;
  if (binding.kind === "conflict") return { ...vpc, state: "error", message: binding.message };
  if (vpc.state === "programmed" && binding.kind === "unbound") {
    const message = `no port of the VPC's bridge carries external_ids:iface-id=${id}`;
    return { ...vpc, state: "pending", message };
  }
  return vpc;
}

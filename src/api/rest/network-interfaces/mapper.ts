import type { z } from "zod";
import { formatAddresses, formatIp } from "../../../domain/cidr.js";
import type { Binding, DataPlaneStatus, DataPlaneView } from "../../../domain/data-plane.js";
import type { InterfaceDrops } from "../../../domain/drops.js";
import type { NetworkInterface } from "../../../domain/resources.js";
import type { networkInterfaceDropsSchema, networkInterfaceSchema } from "./schema.js";

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
    secondaryPrivateIps: eni.secondaryPrivateIps.map(formatIp),
    macAddress: eni.macAddress,
    allowedAddressPairs: eni.allowedAddressPairs.map(({ block, macAddress }) => ({
      ipAddress: formatAddresses(block),
      macAddress: macAddress ?? eni.macAddress,
    })),
    gateway: formatIp(eni.gateway),
    state: binding.kind === "bound" && view.outage() === undefined ? "in-use" : "available",
    securityGroupIds: [...eni.securityGroupIds],
    name: eni.name,
    tags: { ...eni.tags },
    createdAt: eni.createdAt.toISOString(),
    warnings: [...view.portWarnings(eni.id)],
    dataPlane: interfaceStatus(eni.id, view.status([eni.vpcId], eni.generation), binding),
  };
}

/** A VPC may be all as intended while an interface in it has no port, a dead one, or one too many. */
function interfaceStatus(id: string, vpc: DataPlaneStatus, binding: Binding): DataPlaneStatus {
  if (vpc.state === "noop" || vpc.state === "error") return vpc;
  if (binding.kind === "conflict" || binding.kind === "dead") {
    return { ...vpc, state: "error", message: binding.message };
  }
  if (vpc.state === "programmed" && binding.kind === "unbound") {
    return { ...vpc, state: "pending", message: binding.message ?? unboundMessage(id) };
  }
  if (binding.kind === "bound" && binding.hindrance !== undefined) {
    return { ...vpc, state: "error", message: binding.hindrance };
  }
  return vpc;
}

function unboundMessage(id: string): string {
  return `no port of the VPC's bridge carries external_ids:iface-id=${id}`;
}

export function presentDrops(
  id: string,
  drops: InterfaceDrops | null,
  view: DataPlaneView,
  now: Date,
): z.output<typeof networkInterfaceDropsSchema> {
  const common = { networkInterfaceId: id, readAt: now.toISOString() };
  if (drops === null) {
    return { ...common, since: null, reasons: null, message: whyNothingCounts(id, view) };
  }
  return { ...common, since: secondsBefore(now, drops.seconds), reasons: drops.counts };
}

function whyNothingCounts(id: string, view: DataPlaneView): string {
  if (view.backend === "noop") return "the no-op backend carries no packets";
  const binding = view.binding(id);
  if (binding.kind === "conflict" || binding.kind === "dead") return binding.message;
  if (binding.kind === "unbound") return binding.message ?? unboundMessage(id);
  return "the switch has not been programmed for this interface yet";
}

/** To the second: the switch tells ages, and how long its answer took varies. */
function secondsBefore(now: Date, seconds: number): string {
  const at = Math.floor(now.getTime() / 1000 - seconds) * 1000;
  return new Date(at).toISOString();
}

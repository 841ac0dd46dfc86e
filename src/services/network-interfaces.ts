import { firstFreeAddress, unassignable } from "../domain/address-plan.js";
import { formatIp, type Ip, parseIp } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { MAC_PATTERN, macProblem, randomInterfaceMac } from "../domain/mac.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { NetworkInterface, Page, PageRequest, Subnet, Tags } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import {
  countInterfaces,
  findInterfaceWith,
  findNetworkInterface,
  findNetworkInterfaces,
  findUsedAddresses,
  insertNetworkInterface,
  patchNetworkInterface,
  removeNetworkInterface,
} from "../store/network-interfaces.js";
import { findSubnet } from "../store/subnets.js";
import { lockTenantRow } from "../store/tenants.js";
import { lockVpcRows, type Patch, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { changeMembership, groupsToJoin } from "./memberships.js";
import { resourceChange } from "./resource-change.js";
import { requireSubnet } from "./subnets.js";

export interface NetworkInterfaceInput {
  readonly subnetId: string;
  readonly privateIp?: string | undefined;
  readonly macAddress?: string | undefined;
  readonly name?: string | undefined;
  readonly tags?: Tags | undefined;
  /** The default group of its VPC unless told. */
  readonly securityGroupIds?: readonly string[] | undefined;
}

export interface NetworkInterfacePatch extends Patch {
  readonly securityGroupIds?: readonly string[] | undefined;
}

/**
 * @throws DomainError `PrivateIpInUse`, `MacAddressInUse`, `InvalidParameterValue`,
 *   `NetworkInterfaceLimitExceeded`, …
 */
export async function createNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  input: NetworkInterfaceInput,
): Promise<NetworkInterface> {
  ownTenant(caller);
  requirePermission(caller, "network_interface:create");
  const read = async (tx: Tx) => {
    const { subnetId, securityGroupIds } = input;
    const subnet = requireSubnet(
      caller,
      subnetId,
      await findSubnet(tx, subnetId, caller.tenantId),
      "/subnetId",
    );
    const { vpcId } = subnet;
    await lockTenantRow(tx, subnet.tenantId);
    return { subnet, vpcId, groupIds: await groupsToJoin(ctx, tx, vpcId, securityGroupIds) };
  };
  return changeMembership(ctx, read, async (tx, { subnet, groupIds }, concerned) => {
    const { id: subnetId, vpcId } = subnet;
    await requireRoom(ctx, tx, subnet);
    const privateIp = await choosePrivateIp(tx, subnet, input.privateIp);
    const macAddress = await chooseMac(tx, vpcId, input.macAddress);
    const id = newId("networkInterface");
    const change = resourceChange(caller, "network-interface", subnet.tenantId, id, "create");
    const generation = await recordChange(tx, change);
    await touchVpcs(tx, concerned, generation);
    const { name = null, tags = {} } = input;
    const place = { vpcId, subnetId, privateIp, macAddress, securityGroupIds: groupIds };
    return insertNetworkInterface(tx, { id, ...place, name, tags, generation });
  });
}

/** Those of a tenant are counted under its lock, the others under that of their VPC as well. */
async function requireRoom({ quotas }: ServiceContext, tx: Tx, subnet: Subnet): Promise<void> {
  const { inSubnet, inVpc, ofTenant } = await countInterfaces(tx, subnet);
  requireQuota(quotas, "interfacesPerSubnet", inSubnet);
  requireQuota(quotas, "interfacesPerVpc", inVpc);
  requireQuota(quotas, "interfacesPerTenant", ofTenant);
}

async function choosePrivateIp(tx: Tx, subnet: Subnet, wanted: string | undefined): Promise<Ip> {
  if (wanted !== undefined) return claimPrivateIp(tx, subnet, wanted);
  const free = firstFreeAddress(subnet.block, await findUsedAddresses(tx, subnet.id));
  if (free !== undefined) return free;
  const detail = `subnet ${subnet.id} has no free address left`;
  throw new DomainError("InsufficientFreeAddressesInSubnet", detail, {
    pointer: "/subnetId",
  });
}

async function claimPrivateIp(tx: Tx, subnet: Subnet, wanted: string): Promise<Ip> {
  const pointer = "/privateIp";
  const ip = parseIp(wanted);
  if (ip?.family !== 4) {
    throw new DomainError("ValidationError", `"${wanted}" is not an IPv4 address`, { pointer });
  }
  const problem = unassignable(subnet.block, ip);
  if (problem !== undefined) {
    throw new DomainError("InvalidParameterValue", `${wanted} ${problem}`, { pointer });
  }
  const holder = await findInterfaceWith(tx, subnet.vpcId, { privateIp: ip });
  if (holder === undefined) return ip;
  const detail = `${formatIp(ip)} is in use by ${holder}`;
  throw new DomainError("PrivateIpInUse", detail, {
    pointer,
    blockedBy: [holder],
  });
}

async function chooseMac(tx: Tx, vpcId: string, wanted: string | undefined): Promise<string> {
  const pointer = "/macAddress";
  const mac = wanted?.toLowerCase() ?? randomInterfaceMac();
  const problem = MAC_PATTERN.test(mac) ? macProblem(mac) : "it is not six octets in hex";
  if (problem !== undefined) {
    throw new DomainError("InvalidParameterValue", `${mac} cannot be used: ${problem}`, {
      pointer,
    });
  }
  const holder = await findInterfaceWith(tx, vpcId, { macAddress: mac });
  if (holder === undefined) return mac;
  if (wanted === undefined) return chooseMac(tx, vpcId, undefined);
  const detail = `${mac} is in use by ${holder}`;
  throw new DomainError("MacAddressInUse", detail, {
    pointer,
    blockedBy: [holder],
  });
}

export async function getNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<NetworkInterface> {
  const found = requireInterface(
    caller,
    id,
    await findNetworkInterface(ctx.db, id, caller.tenantId),
  );
  requirePermission(caller, "network_interface:read");
  return found;
}

export async function listNetworkInterfaces(
  ctx: ServiceContext,
  caller: Principal,
  filter: {
    vpcId?: string | undefined;
    subnetId?: string | undefined;
    securityGroupId?: string | undefined;
    tags: Tags;
  },
  page: PageRequest,
): Promise<Page<NetworkInterface>> {
  requirePermission(caller, "network_interface:read");
  return findNetworkInterfaces(ctx.db, { ...filter, tenantId: caller.tenantId }, page);
}

/** With `securityGroupIds` it is in these groups from then on and in no others. */
export async function updateNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: NetworkInterfacePatch,
): Promise<NetworkInterface> {
  const { securityGroupIds, ...described } = patch;
  if (securityGroupIds !== undefined) {
    return regroup(ctx, caller, id, { ...described, securityGroupIds });
  }
  return inTransaction(ctx.db, async (tx) => {
    const { tenantId } = await lockInterface(tx, caller, id);
    requirePermission(caller, "network_interface:update");
    const patched = await patchNetworkInterface(tx, id, described);
    await recordChange(tx, resourceChange(caller, "network-interface", tenantId, id, "update"));
    return patched;
  });
}

async function regroup(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  { securityGroupIds, ...described }: Patch & { readonly securityGroupIds: readonly string[] },
): Promise<NetworkInterface> {
  const read = async (tx: Tx) => {
    const { vpcId, tenantId, ...before } = await readInterface(tx, caller, id);
    requirePermission(caller, "network_interface:update");
    const after = await groupsToJoin(ctx, tx, vpcId, securityGroupIds);
    return { vpcId, tenantId, groupIds: differing(before.securityGroupIds, after) };
  };
  return changeMembership(ctx, read, async (tx, { tenantId }, concerned) => {
    const change = resourceChange(caller, "network-interface", tenantId, id, "update");
    const generation = await recordChange(tx, change);
    await touchVpcs(tx, concerned, generation);
    return patchNetworkInterface(tx, id, described, { securityGroupIds, generation });
  });
}

/** What is in one of two lists and not in the other. */
function differing(one: readonly string[], other: readonly string[]): string[] {
  return [...one.filter((id) => !other.includes(id)), ...other.filter((id) => !one.includes(id))];
}

/** A port that is still plugged in loses its flows. */
export async function deleteNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<void> {
  const read = async (tx: Tx) => {
    const { vpcId, tenantId, securityGroupIds } = await readInterface(tx, caller, id);
    return { vpcId, tenantId, groupIds: securityGroupIds };
  };
  await changeMembership(ctx, read, async (tx, { tenantId }, concerned) => {
    requirePermission(caller, "network_interface:delete");
    const change = resourceChange(caller, "network-interface", tenantId, id, "delete");
    await touchVpcs(tx, concerned, await recordChange(tx, change));
    await removeNetworkInterface(tx, id);
  });
}

async function lockInterface(tx: Tx, caller: Principal, id: string): Promise<NetworkInterface> {
  const { vpcId } = await readInterface(tx, caller, id);
  await lockVpcRows(tx, [vpcId]);
  return readInterface(tx, caller, id);
}

async function readInterface(tx: Tx, caller: Principal, id: string): Promise<NetworkInterface> {
  return requireInterface(caller, id, await findNetworkInterface(tx, id, caller.tenantId));
}

function requireInterface(
  caller: Principal,
  id: string,
  found: NetworkInterface | null,
): NetworkInterface {
  if (found === null || !maySee(caller, found.tenantId)) {
    const detail = `there is no network interface ${id}`;
    throw new DomainError("InvalidNetworkInterfaceID.NotFound", detail);
  }
  return found;
}

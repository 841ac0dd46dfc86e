import { firstFreeAddress, isAssignable } from "../domain/address-plan.js";
import { formatCidr, formatIp, type Ip, parseIp } from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { MAC_PATTERN, macProblem, randomInterfaceMac } from "../domain/mac.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import type { NetworkInterface, Page, PageRequest, Subnet, Tags } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import {
  findInterfaceWith,
  findNetworkInterface,
  findNetworkInterfaces,
  findUsedAddresses,
  insertNetworkInterface,
  patchNetworkInterface,
  removeNetworkInterface,
} from "../store/network-interfaces.js";
import { lockVpcs, type Patch, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { resourceChange } from "./resource-change.js";
import { lockSubnet } from "./subnets.js";

export interface NetworkInterfaceInput {
  readonly subnetId: string;
  readonly privateIp?: string | undefined;
  readonly macAddress?: string | undefined;
  readonly name?: string | undefined;
  readonly tags?: Tags | undefined;
}

/** @throws DomainError `PrivateIpInUse`, `MacAddressInUse`, `InvalidParameterValue`, … */
export async function createNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  input: NetworkInterfaceInput,
): Promise<NetworkInterface> {
  ownTenant(caller);
  requirePermission(caller, "network_interface:create");
  const created = await inTransaction(ctx.db, (tx) => insertInto(tx, caller, input));
  ctx.waker.wake([created.vpcId]);
  return created;
}

async function insertInto(
  tx: Tx,
  caller: Principal,
  input: NetworkInterfaceInput,
): Promise<NetworkInterface> {
  const subnet = await lockSubnet(tx, caller, input.subnetId, "/subnetId");
  const privateIp = await choosePrivateIp(tx, subnet, input.privateIp);
  const macAddress = await chooseMac(tx, subnet.vpcId, input.macAddress);
  const id = newId("networkInterface");
  const change = resourceChange(caller, "network-interface", subnet.tenantId, id, "create");
  const generation = await recordChange(tx, change);
  await touchVpcs(tx, [subnet.vpcId], generation);
  const { name = null, tags = {} } = input;
  const { id: subnetId, vpcId } = subnet;
  const row = {
    id,
    vpcId,
    subnetId,
    privateIp,
    macAddress,
    name,
    tags,
    generation,
  };
  return insertNetworkInterface(tx, row);
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
  if (ip === undefined) {
    throw new DomainError("ValidationError", `"${wanted}" is not an IP address`, { pointer });
  }
  if (!isAssignable(subnet.block, ip)) {
    const block = formatCidr(subnet.block);
    const detail = `${wanted} is not an assignable address of ${block}: the first four and the last are reserved`;
    throw new DomainError("InvalidParameterValue", detail, { pointer });
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
  const found = requireInterface(caller, id, await findNetworkInterface(ctx.db, id));
  requirePermission(caller, "network_interface:read");
  return found;
}

export async function listNetworkInterfaces(
  ctx: ServiceContext,
  caller: Principal,
  filter: {
    vpcId?: string | undefined;
    subnetId?: string | undefined;
    tags: Tags;
  },
  page: PageRequest,
): Promise<Page<NetworkInterface>> {
  requirePermission(caller, "network_interface:read");
  return findNetworkInterfaces(ctx.db, { ...filter, tenantId: caller.tenantId }, page);
}

export async function updateNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: Patch,
): Promise<NetworkInterface> {
  return inTransaction(ctx.db, async (tx) => {
    const { tenantId } = await lockInterface(tx, caller, id);
    requirePermission(caller, "network_interface:update");
    const patched = await patchNetworkInterface(tx, id, patch);
    await recordChange(tx, resourceChange(caller, "network-interface", tenantId, id, "update"));
    return patched;
  });
}

/** A port that is still plugged in loses its flows. */
export async function deleteNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
): Promise<void> {
  const vpcId = await inTransaction(ctx.db, async (tx) => {
    const found = await lockInterface(tx, caller, id);
    requirePermission(caller, "network_interface:delete");
    const change = resourceChange(caller, "network-interface", found.tenantId, id, "delete");
    await touchVpcs(tx, [found.vpcId], await recordChange(tx, change));
    await removeNetworkInterface(tx, id);
    return found.vpcId;
  });
  ctx.waker.wake([vpcId]);
}

async function lockInterface(tx: Tx, caller: Principal, id: string): Promise<NetworkInterface> {
  const seen = requireInterface(caller, id, await findNetworkInterface(tx, id));
  await lockVpcs(tx, [seen.vpcId]);
  return requireInterface(caller, id, await findNetworkInterface(tx, id));
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

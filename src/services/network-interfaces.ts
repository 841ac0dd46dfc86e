import { isDeepStrictEqual } from "node:util";
import type { Binding } from "../domain/data-plane.js";
import { DomainError } from "../domain/errors.js";
import { newId } from "../domain/ids.js";
import { randomInterfaceMac } from "../domain/mac.js";
import { maySee, ownTenant, type Principal, requirePermission } from "../domain/principal.js";
import { requireQuota } from "../domain/quotas.js";
import type { NetworkInterface, Page, PageRequest, Subnet, Tags } from "../domain/resources.js";
import { recordChange } from "../store/change.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import type { FurtherAddresses } from "../store/interface-addresses.js";
import {
  countInterfaces,
  findInterfaceWithMac,
  findNetworkInterface,
  findNetworkInterfaces,
  insertNetworkInterface,
  patchNetworkInterface,
  removeNetworkInterface,
} from "../store/network-interfaces.js";
import { findSubnet } from "../store/subnets.js";
import { lockTenantRow } from "../store/tenants.js";
import { lockVpcRows, type Patch, touchVpcs } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { type AddressesInput, changedAddresses, chooseAddresses } from "./interface-addresses.js";
import { changeMembership, groupsToJoin } from "./memberships.js";
import { resourceChange } from "./resource-change.js";
import { requireSubnet } from "./subnets.js";
import { usableMac } from "./usable-mac.js";

export interface NetworkInterfaceInput extends AddressesInput {
  readonly subnetId: string;
  readonly macAddress?: string | undefined;
  readonly name?: string | undefined;
  readonly tags?: Tags | undefined;
  /** The default group of its VPC unless told. */
  readonly securityGroupIds?: readonly string[] | undefined;
}

/** What of an interface the switch knows. */
type StandingPatch = Omit<AddressesInput, "privateIp"> & {
  readonly securityGroupIds?: readonly string[] | undefined;
};

export type NetworkInterfacePatch = Patch & StandingPatch;

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
    const addresses = await chooseAddresses(ctx, tx, { subnet }, input);
    await requireRoom(ctx, tx, subnet, { interfaces: 1, addresses: furtherCount(addresses) });
    const macAddress = await chooseMac(tx, vpcId, input.macAddress);
    const id = newId("networkInterface");
    const change = resourceChange(caller, "network-interface", subnet.tenantId, id, "create");
    const generation = await recordChange(tx, change);
    await touchVpcs(tx, concerned, generation);
    const { name = null, tags = {} } = input;
    const place = { vpcId, subnetId, ...addresses, macAddress, securityGroupIds: groupIds };
    return insertNetworkInterface(tx, { id, ...place, name, tags, generation });
  });
}

/** What a change adds to a VPC. */
interface Growth {
  readonly interfaces: number;
  /** Besides primary ones. */
  readonly addresses: number;
}

/** Those of a tenant are counted under its lock, the others under that of their VPC as well. */
async function requireRoom(
  { quotas }: ServiceContext,
  tx: Tx,
  subnet: Subnet,
  { interfaces, addresses }: Growth,
): Promise<void> {
  const { inSubnet, inVpc, ofTenant } = await countInterfaces(tx, subnet);
  requireQuota(quotas, "interfacesPerSubnet", inSubnet, interfaces);
  requireQuota(quotas, "interfacesPerVpc", inVpc, interfaces + addresses);
  requireQuota(quotas, "interfacesPerTenant", ofTenant, interfaces + addresses);
}

async function chooseMac(tx: Tx, vpcId: string, wanted: string | undefined): Promise<string> {
  const pointer = "/macAddress";
  const mac = wanted === undefined ? randomInterfaceMac() : usableMac(wanted, pointer);
  const holder = await findInterfaceWithMac(tx, vpcId, mac);
  if (holder === undefined) return mac;
  if (wanted === undefined) return chooseMac(tx, vpcId, undefined);
  const detail = `${mac} is in use by ${holder}`;
  throw new DomainError("MacAddressInUse", detail, { pointer, blockedBy: [holder] });
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

/** Lists take the place of those there are: it is in these groups from then on and in no others. */
export async function updateNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  patch: NetworkInterfacePatch,
): Promise<NetworkInterface> {
  const { securityGroupIds, secondaryPrivateIps, allowedAddressPairs, ...described } = patch;
  const standing = { securityGroupIds, secondaryPrivateIps, allowedAddressPairs };
  if (Object.values(standing).some((list) => list !== undefined)) {
    return changeStanding(ctx, caller, id, standing, described);
  }
  return inTransaction(ctx.db, async (tx) => {
    const { tenantId } = await lockInterface(tx, caller, id);
    requirePermission(caller, "network_interface:update");
    const patched = await patchNetworkInterface(tx, id, described);
    await recordChange(tx, resourceChange(caller, "network-interface", tenantId, id, "update"));
    return patched;
  });
}

async function changeStanding(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  { securityGroupIds, ...addressing }: StandingPatch,
  described: Patch,
): Promise<NetworkInterface> {
  const readdressed = Object.values(addressing).some((list) => list !== undefined);
  const read = async (tx: Tx) => {
    const before = await readInterface(tx, caller, id);
    requirePermission(caller, "network_interface:update");
    if (readdressed) await lockTenantRow(tx, before.tenantId);
    const present = before.securityGroupIds;
    const after =
      securityGroupIds === undefined
        ? present
        : await groupsToJoin(ctx, tx, before.vpcId, securityGroupIds);
    const groupIds = readdressed ? union(present, after) : differing(present, after);
    return { vpcId: before.vpcId, groupIds, before, after };
  };
  return changeMembership(ctx, read, async (tx, { before, after }, concerned) => {
    const { tenantId, vpcId } = before;
    const addresses = readdressed
      ? await readdress(ctx, tx, caller, before, addressing)
      : furtherOf(before);
    const change = resourceChange(caller, "network-interface", tenantId, id, "update");
    const generation = await recordChange(tx, change);
    const isSame = isDeepStrictEqual(addresses, furtherOf(before)) && isAlike(before, after);
    if (isSame) return patchNetworkInterface(tx, id, described);
    await touchVpcs(tx, concerned, generation);
    const standing = { vpcId, securityGroupIds: after, ...addresses, generation };
    return patchNetworkInterface(tx, id, described, standing);
  });
}

/** Whether it is in the same groups: then nothing changes on the switch. */
function isAlike({ securityGroupIds }: NetworkInterface, after: readonly string[]): boolean {
  return differing(securityGroupIds, after).length === 0;
}

async function readdress(
  ctx: ServiceContext,
  tx: Tx,
  caller: Principal,
  before: NetworkInterface,
  addressing: Omit<AddressesInput, "privateIp">,
): Promise<FurtherAddresses> {
  const { id, subnetId } = before;
  const found = await findSubnet(tx, subnetId, caller.tenantId);
  const subnet = requireSubnet(caller, subnetId, found);
  const after = await changedAddresses(ctx, tx, { subnet, id, before }, addressing);
  const more = furtherCount(after) - furtherCount(before);
  if (more > 0) await requireRoom(ctx, tx, subnet, { interfaces: 0, addresses: more });
  return furtherOf(after);
}

function furtherOf({
  secondaryPrivateIps,
  allowedAddressPairs,
}: FurtherAddresses): FurtherAddresses {
  return { secondaryPrivateIps, allowedAddressPairs };
}

function furtherCount({ secondaryPrivateIps, allowedAddressPairs }: FurtherAddresses): number {
  return secondaryPrivateIps.length + allowedAddressPairs.length;
}

function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])];
}

/** What is in one of two lists and not in the other. */
function differing(one: readonly string[], other: readonly string[]): string[] {
  return [...one.filter((id) => !other.includes(id)), ...other.filter((id) => !one.includes(id))];
}

/**
 * A port that is still plugged in loses its flows.
 * @param bindingOf where an interface is plugged in; without it that does not matter
 * @throws DomainError `DependencyViolation` while it is plugged in, into a dead port as well
 */
export async function deleteNetworkInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  bindingOf?: (id: string) => Binding,
): Promise<void> {
  const read = async (tx: Tx) => {
    const { vpcId, tenantId, securityGroupIds } = await readInterface(tx, caller, id);
    return { vpcId, tenantId, groupIds: securityGroupIds };
  };
  await changeMembership(ctx, read, async (tx, { tenantId }, concerned) => {
    requirePermission(caller, "network_interface:delete");
    if (bindingOf !== undefined) refuseWhilePluggedIn(id, bindingOf(id));
    const change = resourceChange(caller, "network-interface", tenantId, id, "delete");
    await touchVpcs(tx, concerned, await recordChange(tx, change));
    await removeNetworkInterface(tx, id);
  });
}

function refuseWhilePluggedIn(id: string, binding: Binding): void {
  if (binding.kind === "unbound") return;
  const where = binding.kind === "conflict" ? binding.message : `by port ${binding.port}`;
  const detail = `network interface ${id} is plugged in (${where}): unplug it first, or delete it with force=true`;
  throw new DomainError("DependencyViolation", detail);
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

import {
  anyBlock,
  broadcastOf,
  firstFreeAddress,
  gatewayOf,
  unassignable,
} from "../domain/address-plan.js";
import {
  type Cidr,
  contains,
  containsIp,
  formatAddresses,
  formatCidr,
  formatIp,
  hostBlock,
  type Ip,
  isSameIp,
  parseIp,
} from "../domain/cidr.js";
import { DomainError } from "../domain/errors.js";
import { requireQuota } from "../domain/quotas.js";
import type { AddressPair, NetworkInterface, Subnet } from "../domain/resources.js";
import type { Tx } from "../store/database/transaction.js";
import { countSharers, findOwners } from "../store/interface-addresses.js";
import { findTakenBlocks } from "../store/network-interfaces.js";
import type { ServiceContext } from "./context.js";
import { usableMac } from "./usable-mac.js";

export interface AddressPairInput {
  /** An address, or a block of them. */
  readonly ipAddress: string;
  /** The interface's own unless told. */
  readonly macAddress?: string | undefined;
}

/** Addresses as a caller writes them. */
export interface AddressesInput {
  readonly privateIp?: string | undefined;
  readonly secondaryPrivateIps?: readonly string[] | undefined;
  readonly allowedAddressPairs?: readonly AddressPairInput[] | undefined;
}

/** The addresses of one interface. */
export type InterfaceAddresses = Pick<
  NetworkInterface,
  "privateIp" | "secondaryPrivateIps" | "allowedAddressPairs"
>;

/** Where they are to be; the VPC is locked. `id`: the interface that may have some of them already. */
export interface Place {
  readonly subnet: Subnet;
  readonly id?: string | undefined;
}

/**
 * The addresses of a new interface; the lowest free one is the primary one unless told.
 * @throws DomainError `PrivateIpInUse`, `InvalidParameterValue`, `InsufficientFreeAddressesInSubnet`,
 *   `PrivateIpAddressLimitExceeded`, `AddressPairLimitExceeded`, …
 */
export async function chooseAddresses(
  ctx: ServiceContext,
  tx: Tx,
  place: Place,
  { privateIp: wanted, secondaryPrivateIps = [], allowedAddressPairs = [] }: AddressesInput,
): Promise<InterfaceAddresses> {
  const secondary = secondaryIps(ctx, place, secondaryPrivateIps);
  const primary = wanted === undefined ? undefined : assignable(place, wanted, "/privateIp");
  const privateIp = primary ?? (await firstFree(tx, place, secondary));
  if (primary !== undefined) await requireUnowned(tx, place, [primary], () => "/privateIp");
  await claimSecondaryIps(tx, place, privateIp, secondary);
  const own = [privateIp, ...secondary];
  const pairs = await claimPairs(ctx, tx, { ...place, own }, allowedAddressPairs);
  return { privateIp, secondaryPrivateIps: secondary, allowedAddressPairs: pairs };
}

/**
 * The addresses of an interface after a change of some of them.
 * @throws DomainError as `chooseAddresses`
 */
export async function changedAddresses(
  ctx: ServiceContext,
  tx: Tx,
  place: Place & { readonly before: InterfaceAddresses },
  { secondaryPrivateIps, allowedAddressPairs }: Omit<AddressesInput, "privateIp">,
): Promise<InterfaceAddresses> {
  const { privateIp, ...before } = place.before;
  const secondary =
    secondaryPrivateIps === undefined
      ? before.secondaryPrivateIps
      : secondaryIps(ctx, place, secondaryPrivateIps);
  if (secondaryPrivateIps !== undefined) await claimSecondaryIps(tx, place, privateIp, secondary);
  const own = [privateIp, ...secondary];
  const pairs =
    allowedAddressPairs === undefined
      ? before.allowedAddressPairs
      : await claimPairs(ctx, tx, { ...place, own }, allowedAddressPairs);
  requireNotOwn(own, pairs, "/secondaryPrivateIps");
  return { privateIp, secondaryPrivateIps: secondary, allowedAddressPairs: pairs };
}

async function firstFree(tx: Tx, { subnet }: Place, secondary: readonly Ip[]): Promise<Ip> {
  const taken = [...(await findTakenBlocks(tx, subnet)), ...secondary.map(hostBlock)];
  const free = firstFreeAddress(subnet.block, taken);
  if (free !== undefined) return free;
  const detail = `subnet ${subnet.id} has no free address left`;
  throw new DomainError("InsufficientFreeAddressesInSubnet", detail, { pointer: "/subnetId" });
}

function secondaryIps(ctx: ServiceContext, place: Place, wanted: readonly string[]): Ip[] {
  requireQuota(ctx.quotas, "privateIpsPerInterface", 1, wanted.length);
  return wanted.map((text, index) => assignable(place, text, secondaryPointer(index)));
}

function secondaryPointer(index: number): string {
  return `/secondaryPrivateIps/${index}`;
}

function assignable({ subnet }: Place, text: string, pointer: string): Ip {
  const ip = parseIp(text);
  if (ip?.family !== 4) {
    throw new DomainError("ValidationError", `"${text}" is not an IPv4 address`, { pointer });
  }
  const problem = unassignable(subnet.block, ip);
  if (problem !== undefined) throw invalid(`${text} ${problem}`, pointer);
  return ip;
}

async function claimSecondaryIps(
  tx: Tx,
  place: Place,
  primary: Ip,
  secondary: readonly Ip[],
): Promise<void> {
  for (const [index, ip] of secondary.entries()) {
    const pointer = secondaryPointer(index);
    if (isSameIp(ip, primary)) throw invalid(`${formatIp(ip)} is the primary address`, pointer);
    if (secondary.findIndex((other) => isSameIp(other, ip)) !== index) {
      throw invalid(`${formatIp(ip)} is named twice`, pointer);
    }
  }
  await requireUnowned(tx, place, secondary, secondaryPointer);
}

/** No two interfaces of a VPC have the same address as their own. */
async function requireUnowned(
  tx: Tx,
  { subnet, id }: Place,
  ips: readonly Ip[],
  pointerOf: (index: number) => string,
): Promise<void> {
  const owners = ips.length === 0 ? new Map() : await findOwners(tx, subnet.vpcId, ips);
  for (const [index, ip] of ips.entries()) {
    const owner = owners.get(ip.value);
    if (owner === undefined || owner === id) continue;
    const context = { pointer: pointerOf(index), blockedBy: [owner] };
    throw new DomainError("PrivateIpInUse", `${formatIp(ip)} is in use by ${owner}`, context);
  }
}

type PairPlace = Place & { readonly own: readonly Ip[] };

async function claimPairs(
  ctx: ServiceContext,
  tx: Tx,
  place: PairPlace,
  wanted: readonly AddressPairInput[],
): Promise<AddressPair[]> {
  requireQuota(ctx.quotas, "addressPairsPerInterface", 0, wanted.length);
  const pairs: AddressPair[] = [];
  for (const [index, input] of wanted.entries()) {
    const pointer = `/allowedAddressPairs/${index}`;
    const pair = readPair(place.subnet, input, pointer);
    requireNotOwn(place.own, [pair], `${pointer}/ipAddress`);
    if (pairs.some(({ block }) => formatCidr(block) === formatCidr(pair.block))) {
      throw invalid(`${formatAddresses(pair.block)} is named twice`, `${pointer}/ipAddress`);
    }
    await requireFewSharers(ctx, tx, place, pair);
    pairs.push(pair);
  }
  return pairs;
}

function readPair(
  subnet: Subnet,
  { ipAddress, macAddress }: AddressPairInput,
  pointer: string,
): AddressPair {
  const block = pairBlock(subnet, ipAddress, `${pointer}/ipAddress`);
  if (macAddress === undefined) return { block, macAddress: null };
  return { block, macAddress: usableMac(macAddress, `${pointer}/macAddress`) };
}

/**
 * The router of a subnet is not to be impersonated, and what is sent to many never passes; whose
 * other addresses they are is no matter.
 */
function pairBlock(subnet: Subnet, text: string, pointer: string): Cidr {
  const ip = parseIp(text);
  const block = ip?.family === 4 ? hostBlock(ip) : anyBlock(text, pointer);
  if (!contains(subnet.block, block)) {
    throw invalid(`${text} lies outside the subnet's block ${formatCidr(subnet.block)}`, pointer);
  }
  const [gateway, broadcast] = [gatewayOf(subnet.block), broadcastOf(subnet.block)];
  if (containsIp(block, gateway)) {
    throw invalid(`${text} holds ${formatIp(gateway)}, the gateway of ${subnet.id}`, pointer);
  }
  if (containsIp(block, broadcast)) {
    const detail = `${text} holds ${formatIp(broadcast)}, the broadcast address of ${subnet.id}`;
    throw invalid(detail, pointer);
  }
  return block;
}

function requireNotOwn(own: readonly Ip[], pairs: readonly AddressPair[], pointer: string): void {
  const blocks = pairs.map(({ block }) => formatCidr(block));
  const ip = own.find((each) => blocks.includes(formatCidr(hostBlock(each))));
  if (ip === undefined) return;
  throw invalid(`${formatIp(ip)} is the interface's own address, and so allowed already`, pointer);
}

/** Each of them gets a copy of what is sent there. */
async function requireFewSharers(
  { quotas }: ServiceContext,
  tx: Tx,
  { subnet: { vpcId }, id }: Place,
  { block }: AddressPair,
): Promise<void> {
  const sharers = await countSharers(tx, { vpcId, block, except: id });
  requireQuota(quotas, "interfacesPerAddressPair", sharers);
}

function invalid(detail: string, pointer: string): DomainError {
  return new DomainError("InvalidParameterValue", detail, { pointer });
}

import { gatewayOf } from "../domain/address-plan.js";
import { type Cidr, cidr, contains, formatIp, type Ip } from "../domain/cidr.js";
import type { NetworkInterface, Page, PageRequest, Subnet, Tags } from "../domain/resources.js";
import type { Prisma } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";
import { type FurtherAddresses, furtherAddresses, furtherRows } from "./interface-addresses.js";
import { NOTHING, ownsParents } from "./list-parents.js";
import { pageArguments, tagConditions, toPage } from "./page.js";
import { storedBlock, storedIp } from "./stored-addresses.js";
import { inVpcOf } from "./visibility.js";
import { type Patch, patchData } from "./vpcs.js";

const withParents = {
  vpc: { select: { tenantId: true } },
  subnet: { select: { block: true } },
  groups: { select: { groupId: true }, orderBy: { group: { number: "asc" } } },
  addresses: { orderBy: { position: "asc" } },
} satisfies Prisma.NetworkInterfaceInclude;

type InterfaceRow = Prisma.NetworkInterfaceGetPayload<{
  include: typeof withParents;
}>;

export interface NewNetworkInterface extends FurtherAddresses {
  readonly id: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly privateIp: Ip;
  readonly macAddress: string;
  readonly name: string | null;
  readonly tags: Tags;
  readonly securityGroupIds: readonly string[];
  readonly generation: number;
}

export async function insertNetworkInterface(
  tx: Tx,
  networkInterface: NewNetworkInterface,
): Promise<NetworkInterface> {
  const { privateIp, securityGroupIds, secondaryPrivateIps, allowedAddressPairs, ...columns } =
    networkInterface;
  const groups = memberships(securityGroupIds);
  const rows = furtherRows(columns.vpcId, { secondaryPrivateIps, allowedAddressPairs });
  const addresses = { createMany: { data: rows } };
  const data = { ...columns, privateIp: formatIp(privateIp), groups, addresses };
  return toInterface(await tx.networkInterface.create({ data, include: withParents }));
}

/** @param visibleTo as `ownedBy` says */
export async function findNetworkInterface(
  client: Tx,
  id: string,
  visibleTo: string | null,
): Promise<NetworkInterface | null> {
  const row = await client.networkInterface.findUnique({
    where: { id, ...inVpcOf(visibleTo) },
    include: withParents,
  });
  return row && toInterface(row);
}

export interface NetworkInterfaceFilter {
  /** Null: of every tenant. */
  readonly tenantId: string | null;
  readonly vpcId?: string | undefined;
  readonly subnetId?: string | undefined;
  readonly securityGroupId?: string | undefined;
  readonly tags: Tags;
}

export async function findNetworkInterfaces(
  client: Tx,
  filter: NetworkInterfaceFilter,
  page: PageRequest,
): Promise<Page<NetworkInterface>> {
  if (!(await ownsParents(client, filter))) return NOTHING;
  const { securityGroupId: groupId } = filter;
  const rows = await client.networkInterface.findMany({
    where: {
      number: { gt: page.after },
      ...(filter.tenantId !== null && { vpc: { tenantId: filter.tenantId } }),
      ...(filter.vpcId !== undefined && { vpcId: filter.vpcId }),
      ...(filter.subnetId !== undefined && { subnetId: filter.subnetId }),
      ...(groupId !== undefined && { groups: { some: { groupId } } }),
      AND: tagConditions(filter.tags),
    },
    include: withParents,
    ...pageArguments(page),
  });
  return toPage(rows.map(toInterface), page.limit);
}

/** What interfaces have of a subnet: their own addresses, and the blocks of their pairs. */
export async function findTakenBlocks(
  client: Tx,
  { id: subnetId, block }: Pick<Subnet, "id" | "block">,
): Promise<Cidr[]> {
  const rows = await client.$queryRaw<Array<{ block: string }>>`
    SELECT "private_ip"::text AS "block" FROM "network_interface" WHERE "subnet_id" = ${subnetId}
    UNION ALL
    SELECT a."block"::text FROM "network_interface" i
    JOIN "interface_address" a ON a."network_interface_id" = i."id"
    WHERE i."subnet_id" = ${subnetId}`;
  return rows.map((row) => storedBlock(row.block)).filter((taken) => contains(block, taken));
}

/** Ids of interfaces in a subnet, `take` at most. */
export async function findInterfaceIds(
  client: Tx,
  subnetId: string,
  take: number,
): Promise<string[]> {
  const rows = await client.networkInterface.findMany({
    take,
    where: { subnetId },
    select: { id: true },
    orderBy: { number: "asc" },
  });
  return rows.map((row) => row.id);
}

/** How many interfaces there are where another one is to be. */
export interface InterfaceCounts {
  readonly inSubnet: number;
  /** Here and below with their further addresses. */
  readonly inVpc: number;
  readonly ofTenant: number;
}

/** Each is counted in an index: a tenant may have a hundred thousand. */
export async function countInterfaces(
  client: Tx,
  { id, vpcId, tenantId }: Pick<Subnet, "id" | "vpcId" | "tenantId">,
): Promise<InterfaceCounts> {
  const [row] = await client.$queryRaw<InterfaceCounts[]>`
    SELECT
      (SELECT count(*)::int FROM "network_interface" WHERE "subnet_id" = ${id}) AS "inSubnet",
      (SELECT count(*)::int FROM "network_interface" WHERE "vpc_id" = ${vpcId})
        + (SELECT count(*)::int FROM "interface_address" WHERE "vpc_id" = ${vpcId}) AS "inVpc",
      (SELECT count(*)::int FROM "vpc" v JOIN "network_interface" i ON i."vpc_id" = v."id"
        WHERE v."tenant_id" = ${tenantId})
        + (SELECT count(*)::int FROM "vpc" v JOIN "interface_address" a ON a."vpc_id" = v."id"
          WHERE v."tenant_id" = ${tenantId}) AS "ofTenant"`;
  if (row === undefined) throw new Error("a SELECT without FROM has one row");
  return row;
}

/** The interface of a VPC that has this MAC already. */
export async function findInterfaceWithMac(
  client: Tx,
  vpcId: string,
  macAddress: string,
): Promise<string | undefined> {
  const where = { vpcId, macAddress };
  const row = await client.networkInterface.findFirst({ where, select: { id: true } });
  return row?.id;
}

/** What an interface is to be on the switch from a generation on. */
export interface NewStanding extends FurtherAddresses {
  readonly vpcId: string;
  readonly securityGroupIds: readonly string[];
  readonly generation: number;
}

export async function patchNetworkInterface(
  tx: Tx,
  id: string,
  patch: Patch,
  standing?: NewStanding,
): Promise<NetworkInterface> {
  const data = {
    ...patchData(patch),
    ...(standing !== undefined && {
      generation: standing.generation,
      groups: { deleteMany: {}, ...memberships(standing.securityGroupIds) },
      addresses: {
        deleteMany: {},
        createMany: { data: furtherRows(standing.vpcId, standing) },
      },
    }),
  };
  const row = await tx.networkInterface.update({
    where: { id },
    data,
    include: withParents,
  });
  return toInterface(row);
}

export async function removeNetworkInterface(tx: Tx, id: string): Promise<void> {
  await tx.networkInterface.delete({ where: { id } });
}

function memberships(groupIds: readonly string[]) {
  return { createMany: { data: groupIds.map((groupId) => ({ groupId })) } };
}

function toInterface(row: InterfaceRow): NetworkInterface {
  const { vpc, subnet, privateIp, generation, tags, groups, addresses, ...rest } = row;
  return {
    ...rest,
    ...furtherAddresses(addresses),
    tenantId: vpc.tenantId,
    privateIp: storedIp(privateIp),
    gateway: gatewayOf(cidr(subnet.block)),
    tags: tags as Tags,
    securityGroupIds: groups.map(({ groupId }) => groupId),
    generation: Number(generation),
  };
}

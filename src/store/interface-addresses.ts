import { blocksAround, type Cidr, formatCidr, formatIp, type Ip } from "../domain/cidr.js";
import type { NetworkInterface } from "../domain/resources.js";
import { Prisma } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";
import { storedBlock, storedIp } from "./stored-addresses.js";

/** What an interface has besides its primary address. */
export type FurtherAddresses = Pick<
  NetworkInterface,
  "secondaryPrivateIps" | "allowedAddressPairs"
>;

interface AddressRow {
  readonly kind: string;
  readonly block: string;
  readonly macAddress: string | null;
}

/** @param rows in the order of their positions */
export function furtherAddresses(rows: readonly AddressRow[]): FurtherAddresses {
  const [secondary, pairs] = [ofKind(rows, "secondary"), ofKind(rows, "pair")];
  return {
    secondaryPrivateIps: secondary.map(({ block }) => storedIp(block)),
    allowedAddressPairs: pairs.map(({ block, macAddress }) => ({
      block: storedBlock(block),
      macAddress,
    })),
  };
}

function ofKind(rows: readonly AddressRow[], kind: "secondary" | "pair"): AddressRow[] {
  return rows.filter((row) => row.kind === kind);
}

export function furtherRows(vpcId: string, further: FurtherAddresses) {
  const { secondaryPrivateIps, allowedAddressPairs } = further;
  const rows = [
    ...secondaryPrivateIps.map((ip) => ({ kind: "secondary", block: formatIp(ip) })),
    ...allowedAddressPairs.map(({ block, macAddress }) => ({
      kind: "pair",
      block: formatCidr(block),
      macAddress,
    })),
  ];
  return rows.map((row, position) => ({ ...row, position, vpcId }));
}

/** The interfaces of a VPC that have one of these addresses as their own, by address. */
export async function findOwners(
  client: Tx,
  vpcId: string,
  ips: readonly Ip[],
): Promise<ReadonlyMap<bigint, string>> {
  const addresses = ips.map(formatIp);
  const primary = await client.networkInterface.findMany({
    where: { vpcId, privateIp: { in: addresses } },
    select: { id: true, privateIp: true },
  });
  const secondary = await client.interfaceAddress.findMany({
    where: { vpcId, kind: "secondary", block: { in: addresses } },
    select: { networkInterfaceId: true, block: true },
  });
  return new Map([
    ...primary.map(({ id, privateIp }) => [storedIp(privateIp).value, id] as const),
    ...secondary.map((row) => [storedIp(row.block).value, row.networkInterfaceId] as const),
  ]);
}

/** How many other interfaces of a VPC have a pair of just this block. */
export async function countSharers(
  client: Tx,
  { vpcId, block, except }: { vpcId: string; block: Cidr; except: string | undefined },
): Promise<number> {
  return client.interfaceAddress.count({
    where: {
      vpcId,
      kind: "pair",
      block: formatCidr(block),
      ...(except !== undefined && { networkInterfaceId: { not: except } }),
    },
  });
}

/** Whether the members of a group have more than so many addresses; no more are looked at. */
export function hasMoreAddresses(groupId: Prisma.Sql, most: number): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM "group_membership" m LEFT JOIN LATERAL (
      SELECT 1 UNION ALL SELECT 1 FROM "interface_address" a
      WHERE a."network_interface_id" = m."network_interface_id") a ON TRUE
    WHERE m."group_id" = ${groupId} OFFSET ${most}::int LIMIT 1)`;
}

export interface FoundInterface {
  readonly id: string;
  readonly vpcId: string;
}

/** More than one tells as much as all of them. */
const ENOUGH = 10;

export interface AddressQuery {
  /** Null: of all tenants. */
  readonly tenantId: string | null;
  /** In this VPC only. */
  readonly vpcId?: string | undefined;
  readonly ip: Ip;
}

/** The interfaces that have an address as their own; where none has, those that may send from it. */
export async function findInterfacesByAddress(
  client: Tx,
  query: AddressQuery,
): Promise<FoundInterface[]> {
  const address = formatIp(query.ip);
  const owners = await client.$queryRaw<FoundInterface[]>`
    SELECT f."id", f."vpcId" FROM (
      SELECT i."id", i."vpc_id" AS "vpcId", i."number"
      FROM "vpc" v JOIN "network_interface" i ON i."vpc_id" = v."id"
      WHERE i."private_ip" = ${address}::inet AND ${visible(query)}
      UNION ALL ${further(query, Prisma.sql`a."kind" = 'secondary' AND a."block" = ${address}::inet`)}
    ) f ORDER BY f."number" LIMIT ${ENOUGH}`;
  if (owners.length > 0) return owners;
  const around = blocksAround(query.ip).map(formatCidr);
  return client.$queryRaw<FoundInterface[]>`
    SELECT f."id", f."vpcId" FROM (
      ${further(query, Prisma.sql`a."block" = ANY(${around}::inet[])`)}
    ) f GROUP BY f."id", f."vpcId", f."number" ORDER BY f."number" LIMIT ${ENOUGH}`;
}

function further(query: AddressQuery, condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`SELECT i."id", i."vpc_id" AS "vpcId", i."number"
    FROM "vpc" v JOIN "interface_address" a ON a."vpc_id" = v."id"
    JOIN "network_interface" i ON i."id" = a."network_interface_id"
    WHERE ${condition} AND ${visible(query)}`;
}

function visible({ tenantId, vpcId }: AddressQuery): Prisma.Sql {
  const own = tenantId === null ? Prisma.sql`TRUE` : Prisma.sql`v."tenant_id" = ${tenantId}`;
  return vpcId === undefined ? own : Prisma.sql`${own} AND v."id" = ${vpcId}`;
}

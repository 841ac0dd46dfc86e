import type { Scope } from "../domain/intent.js";
import { Prisma } from "../generated/prisma/client.js";
import type { Tx } from "./database/transaction.js";

/** An IPv4 address as a number, one of another family as text. */
export type AddressColumn = number | string;

export type VpcRow = readonly [
  id: string,
  number: number,
  generation: number,
  blocks: readonly string[],
];

export type PeeringRow = readonly [
  id: string,
  number: number,
  state: "provisioning" | "active" | "deleting",
  requesterVpcId: string,
  accepterVpcId: string,
];

export type SubnetRow = readonly [
  vpcId: string,
  id: string,
  block: string,
  routeTableId: string | null,
];

export type RouteTableRow = readonly [vpcId: string, id: string, number: number, main: boolean];

export type RouteRow = readonly [routeTableId: string, destination: string, vpcPeeringId: string];

export type InterfaceRow = readonly [
  vpcId: string,
  id: string,
  number: number,
  subnetId: string,
  privateIp: AddressColumn,
  macAddress: string,
];

/** Beside the primary address, in the order of their positions. */
export type AddressRow = readonly [
  interfaceId: string,
  kind: "secondary" | "pair",
  block: string,
  macAddress: string | null,
];

export type GroupRow = readonly [vpcId: string, id: string, number: number];

export type RuleRow = readonly [
  groupId: string,
  id: string,
  number: number,
  direction: "ingress" | "egress",
  protocol: number,
  fromPort: number,
  toPort: number,
  block: string | null,
  peerGroupId: string | null,
];

export type MembersRow = readonly [groupId: string, interfaceIds: readonly string[]];

export type PeerGroupRow = readonly [
  vpcId: string,
  id: string,
  number: number,
  members: readonly (readonly [interfaceId: string, privateIp: AddressColumn])[],
];

/** In the order of numbers; routes in that of destinations, members in none. */
export interface IntentRows {
  readonly generation: number;
  /** Those of the scope, and those at the other ends of the peerings. */
  readonly vpcs: readonly VpcRow[];
  /** Live ones with an end in the scope. */
  readonly peerings: readonly PeeringRow[];
  readonly subnets: readonly SubnetRow[];
  readonly routeTables: readonly RouteTableRow[];
  readonly routes: readonly RouteRow[];
  readonly interfaces: readonly InterfaceRow[];
  /** Of these interfaces, and of the members of `peerGroups`. */
  readonly addresses: readonly AddressRow[];
  readonly groups: readonly GroupRow[];
  readonly rules: readonly RuleRow[];
  readonly members: readonly MembersRow[];
  /** Groups of VPCs outside the scope that rules in the scope name, with no more members than asked. */
  readonly peerGroups: readonly PeerGroupRow[];
}

type Lists = Omit<IntentRows, "generation">;

type Documents = { readonly [list in keyof Lists]: string } & { readonly generation: bigint };

/**
 * Reads intent for the scope with one statement, which sees one snapshot of the database.
 *
 * Each table is read once, and what was read is put together by the caller. Lists within lists, by
 * subqueries, look so expensive for many VPCs that PostgreSQL compiles them first, for a second.
 * @param mostMembers to be read of a group of a VPC outside the scope: the first by their numbers
 */
export async function queryIntent(
  client: Tx,
  scope: Scope,
  mostMembers: number,
): Promise<IntentRows> {
  const [row] = await client.$queryRaw<Documents[]>`
    WITH live AS (
      SELECT "id", "number", "state", "requester_vpc_id", "accepter_vpc_id" FROM "vpc_peering"
      WHERE "state" IN ('provisioning', 'active', 'deleting')
        AND (${within(scope, "requester_vpc_id")} OR ${within(scope, "accepter_vpc_id")})
    ), tables AS (
      SELECT "vpc_id", "id", "number", "main" FROM "route_table" WHERE ${within(scope, "vpc_id")}
    ), groups AS (
      SELECT "vpc_id", "id", "number" FROM "security_group" WHERE ${within(scope, "vpc_id")}
    ), rules AS (
      SELECT r."group_id", r."id", r."number", r."direction", r."protocol", r."from_port",
        r."to_port", r."block", r."peer_group_id", r."peer_vpc_id"
      FROM groups g JOIN "security_group_rule" r ON r."group_id" = g."id"
    ), peer_members AS (${scope === "all" ? noMembers : peerMembers(scope, mostMembers)})
    SELECT (SELECT "value" FROM "generation") AS "generation",
      ${list`json_build_array(v."id", v."number", v."generation", ARRAY(
          SELECT b."block" FROM "vpc_cidr_block" b
          WHERE b."vpc_id" = v."id" ORDER BY b."primary" DESC, b."block"))
        FROM "vpc" v WHERE ${withinOrPeer(scope)} ORDER BY v."number"`} AS "vpcs",
      ${list`json_build_array("id", "number", "state", "requester_vpc_id", "accepter_vpc_id")
        FROM live ORDER BY "number"`} AS "peerings",
      ${list`json_build_array("vpc_id", "id", "block", "route_table_id")
        FROM "subnet" WHERE ${within(scope, "vpc_id")} ORDER BY "number"`} AS "subnets",
      ${list`json_build_array("vpc_id", "id", "number", "main")
        FROM tables ORDER BY "number"`} AS "routeTables",
      ${list`json_build_array(r."route_table_id", r."destination", r."vpc_peering_id")
        FROM tables t JOIN "route" r ON r."route_table_id" = t."id"
        ORDER BY r."destination"`} AS "routes",
      ${list`json_build_array("vpc_id", "id", "number", "subnet_id", ${address}, "mac_address")
        FROM "network_interface" WHERE ${within(scope, "vpc_id")}
        ORDER BY "number"`} AS "interfaces",
      ${list`json_build_array("network_interface_id", "kind", "block", "mac_address")
        FROM "interface_address" WHERE ${within(scope, "vpc_id")} OR "network_interface_id" = ANY(
          ARRAY(SELECT "id" FROM peer_members)) ORDER BY "position"`} AS "addresses",
      ${list`json_build_array("vpc_id", "id", "number") FROM groups ORDER BY "number"`} AS "groups",
      ${list`json_build_array("group_id", "id", "number", "direction", "protocol", "from_port",
          "to_port", "block", "peer_group_id") FROM rules ORDER BY "number"`} AS "rules",
      ${list`json_build_array(m."group_id", array_agg(m."network_interface_id"))
        FROM groups g JOIN "group_membership" m ON m."group_id" = g."id"
        GROUP BY m."group_id"`} AS "members",
      ${peerGroups} AS "peerGroups"`;
  if (row === undefined) throw new Error("a SELECT without FROM has one row");
  return {
    generation: Number(row.generation),
    vpcs: JSON.parse(row.vpcs),
    peerings: JSON.parse(row.peerings),
    subnets: JSON.parse(row.subnets),
    routeTables: JSON.parse(row.routeTables),
    routes: JSON.parse(row.routes),
    interfaces: JSON.parse(row.interfaces),
    addresses: JSON.parse(row.addresses),
    groups: JSON.parse(row.groups),
    rules: JSON.parse(row.rules),
    members: JSON.parse(row.members),
    peerGroups: JSON.parse(row.peerGroups),
  };
}

/** What a SELECT of one JSON value in each row answers, as one text. */
function list(strings: TemplateStringsArray, ...values: Prisma.Sql[]): Prisma.Sql {
  return Prisma.sql`to_json(ARRAY(SELECT ${Prisma.sql(strings, ...values)}))::text`;
}

/** Numbers are read many times as fast as texts, and there may be thousands. */
const address = Prisma.sql`
  CASE family("private_ip") WHEN 4 THEN to_json("private_ip" - '0.0.0.0'::inet)
    ELSE to_json(host("private_ip")) END`;

function within(scope: Scope, column: string): Prisma.Sql {
  if (scope === "all") return Prisma.sql`TRUE`;
  return Prisma.sql`${Prisma.raw(`"${column}"`)} = ANY(${[...scope]}::text[])`;
}

function withinOrPeer(scope: Scope): Prisma.Sql {
  if (scope === "all") return Prisma.sql`TRUE`;
  return Prisma.sql`v."id" = ANY(ARRAY(
    SELECT unnest(${[...scope]}::text[])
    UNION SELECT "requester_vpc_id" FROM live UNION SELECT "accepter_vpc_id" FROM live))`;
}

/** As `peerMembers`: in all VPCs there is nothing outside. */
const noMembers = Prisma.sql`
  SELECT NULL::text AS "vpc_id", NULL::text AS "group_id", NULL::int AS "group", NULL::text AS "id",
    NULL::int AS "number", NULL::inet AS "private_ip" WHERE FALSE`;

/** The groups outside that are named, each with its first members; one without any stands there once. */
function peerMembers(scope: ReadonlySet<string>, mostMembers: number): Prisma.Sql {
  return Prisma.sql`SELECT g."vpc_id", g."id" AS "group_id", g."number" AS "group", m.*
    FROM "security_group" g LEFT JOIN LATERAL (
      SELECT i."id", i."number", i."private_ip" FROM "group_membership" m
      JOIN "network_interface" i ON i."id" = m."network_interface_id"
      WHERE m."group_id" = g."id" ORDER BY i."number" LIMIT ${mostMembers}::int) m ON TRUE
    WHERE g."id" = ANY(ARRAY(
        SELECT DISTINCT r."peer_group_id" FROM rules r
        JOIN live p ON r."peer_vpc_id" IN (p."requester_vpc_id", p."accepter_vpc_id")))
      AND NOT ${within(scope, "vpc_id")}`;
}

const peerGroups = list`json_build_array("vpc_id", "group_id", "group", COALESCE(
    json_agg(json_build_array("id", ${address}) ORDER BY "number") FILTER (WHERE "id" IS NOT NULL),
    '[]'::json)) FROM peer_members GROUP BY "vpc_id", "group_id", "group"`;

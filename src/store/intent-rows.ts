import { gatewayOf } from "../domain/address-plan.js";
import type { Cidr, Ip } from "../domain/cidr.js";
import type {
  AddressPairIntent,
  InterfaceIntent,
  MemberIntent,
  PeerGroupIntent,
  RouteIntent,
  RuleIntent,
  SecurityGroupIntent,
  SubnetIntent,
  VpcIntent,
} from "../domain/intent.js";
import { addressesCounted } from "../domain/interface-addresses.js";
import type {
  AddressColumn,
  AddressRow,
  GroupRow,
  IntentRows,
  InterfaceRow,
  PeeringRow,
  RouteRow,
  RouteTableRow,
  RuleRow,
  SubnetRow,
  VpcRow,
} from "./intent-query.js";
import { storedBlock, storedIp } from "./stored-addresses.js";
import { storedTraffic } from "./stored-traffic.js";

export type BlockReader = (text: string) => Cidr;

/** Reads blocks, each text once: most stand in many routes. */
export function blockReader(): BlockReader {
  const known = new Map<string, Cidr>();
  return (text) => {
    const block = known.get(text) ?? storedBlock(text);
    known.set(text, block);
    return block;
  };
}

export function isAdmitted(state: string): boolean {
  return state === "provisioning" || state === "active";
}

/** A group that rules may name. */
interface NamedGroup {
  readonly number: number;
  readonly vpcId: string;
  readonly members: readonly MemberIntent[];
}

/** The rows, so put that what belongs to a VPC is found. */
interface Index {
  readonly readBlock: BlockReader;
  /** Numbers of admitted peerings, by id, and by the ids of the VPCs that they lead from and to. */
  readonly admitted: ReadonlyMap<string, number>;
  readonly ways: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly subnets: ReadonlyMap<string, readonly SubnetRow[]>;
  readonly routeTables: ReadonlyMap<string, readonly RouteTableRow[]>;
  readonly routes: ReadonlyMap<string, readonly RouteRow[]>;
  readonly interfaces: ReadonlyMap<string, readonly InterfaceIntent[]>;
  readonly groups: ReadonlyMap<string, readonly GroupRow[]>;
  readonly rules: ReadonlyMap<string, readonly RuleRow[]>;
  readonly named: ReadonlyMap<string, NamedGroup>;
  readonly peerGroupMembers: number;
}

export interface ReadOptions {
  readonly readBlock: BlockReader;
  /** How many members of a peer's group are in force. */
  readonly peerGroupMembers: number;
}

/** The intent of those VPCs of the rows that are in the scope. */
export function toVpcIntents(
  rows: IntentRows,
  inScope: (vpcId: string) => boolean,
  options: ReadOptions,
): VpcIntent[] {
  const index = indexOf(rows, options);
  return rows.vpcs.filter(([id]) => inScope(id)).map((row) => toVpcIntent(row, index));
}

function indexOf(rows: IntentRows, options: ReadOptions): Index {
  const admitted = rows.peerings.filter(([, , state]) => isAdmitted(state));
  const groupNumbers = groupNumbersOf(rows);
  const further = furtherOf(rows.addresses, options.readBlock);
  const interfaces = rows.interfaces.map((row) => toInterface(row, groupNumbers, further));
  return {
    ...options,
    admitted: new Map(admitted.map(([id, number]) => [id, number])),
    ways: waysOf(admitted),
    subnets: byFirst(rows.subnets),
    routeTables: byFirst(rows.routeTables),
    routes: byFirst(rows.routes),
    interfaces: grouped(interfaces, (_, position) => rows.interfaces[position]?.[0]),
    groups: byFirst(rows.groups),
    rules: byFirst(rows.rules),
    named: namedGroups(rows, interfaces, further),
  };
}

/** Rows by their first column: what they belong to. */
function byFirst<Row extends readonly [string, ...unknown[]]>(
  rows: readonly Row[],
): Map<string, Row[]> {
  return grouped(rows, ([owner]) => owner);
}

function grouped<Key, Item>(
  items: readonly Item[],
  keyOf: (item: Item, position: number) => Key | undefined,
): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  items.forEach((item, position) => {
    const key = keyOf(item, position);
    if (key === undefined) return;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  });
  return groups;
}

function waysOf(admitted: readonly PeeringRow[]): Map<string, Map<string, number>> {
  const ways = admitted.flatMap(([, number, , requester, accepter]) => [
    { from: requester, to: accepter, number },
    { from: accepter, to: requester, number },
  ]);
  const ends = [...grouped(ways, ({ from }) => from)];
  return new Map(
    ends.map(([from, these]) => [from, new Map(these.map(({ to, number }) => [to, number]))]),
  );
}

/** Of each interface, lowest first. */
function groupNumbersOf({ groups, members }: IntentRows): Map<string, number[]> {
  const membersOf = new Map(members);
  const memberships = groups.flatMap(([, id, number]) =>
    (membersOf.get(id) ?? []).map((interfaceId) => ({ interfaceId, number })),
  );
  const numbers = new Map<string, number[]>();
  for (const [id, these] of grouped(memberships, ({ interfaceId }) => interfaceId)) {
    numbers.set(
      id,
      these.map(({ number }) => number),
    );
  }
  return numbers;
}

/** What an interface has besides its primary address. */
interface Further {
  readonly secondaryIps: readonly Ip[];
  readonly pairs: ReadonlyArray<Omit<AddressPairIntent, "mac"> & { readonly mac: string | null }>;
}

const NOTHING: Further = { secondaryIps: [], pairs: [] };

function furtherOf(rows: readonly AddressRow[], readBlock: BlockReader): Map<string, Further> {
  const found = [...byFirst(rows)].map(([id, these]): [string, Further] => {
    const [secondary, pairs] = (["secondary", "pair"] as const).map((kind) =>
      these.filter((row) => row[1] === kind),
    );
    return [
      id,
      {
        secondaryIps: (secondary ?? []).map(([, , block]) => storedIp(block)),
        pairs: (pairs ?? []).map(([, , block, mac]) => ({ block: readBlock(block), mac })),
      },
    ];
  });
  return new Map(found);
}

function toInterface(
  [, id, number, subnetId, privateIp, mac]: InterfaceRow,
  groupNumbers: ReadonlyMap<string, readonly number[]>,
  further: ReadonlyMap<string, Further>,
): InterfaceIntent {
  const groups = groupNumbers.get(id) ?? [];
  const { secondaryIps, pairs } = further.get(id) ?? NOTHING;
  const addressPairs = pairs.map((pair) => ({ block: pair.block, mac: pair.mac ?? mac }));
  const ip = toAddress(privateIp);
  return { id, number, subnetId, ip, secondaryIps, mac, addressPairs, groups };
}

function toAddress(column: AddressColumn): Ip {
  return typeof column === "number" ? { family: 4, value: BigInt(column) } : storedIp(column);
}

function namedGroups(
  rows: IntentRows,
  interfaces: readonly InterfaceIntent[],
  further: ReadonlyMap<string, Further>,
): Map<string, NamedGroup> {
  const members = new Map<number, MemberIntent[]>(rows.groups.map(([, , number]) => [number, []]));
  for (const eni of interfaces) {
    for (const number of eni.groups) members.get(number)?.push(eni);
  }
  const named = new Map<string, NamedGroup>();
  for (const [vpcId, id, number] of rows.groups) {
    named.set(id, { number, vpcId, members: members.get(number) ?? [] });
  }
  for (const [vpcId, id, number, columns] of rows.peerGroups) {
    named.set(id, {
      number,
      vpcId,
      members: columns.map(([interfaceId, ip]) => {
        const { secondaryIps, pairs } = further.get(interfaceId) ?? NOTHING;
        return { id: interfaceId, ip: toAddress(ip), secondaryIps, addressPairs: pairs };
      }),
    });
  }
  return named;
}

function toVpcIntent([id, number, generation, blocks]: VpcRow, index: Index): VpcIntent {
  const tables = index.routeTables.get(id) ?? [];
  const groups = index.groups.get(id) ?? [];
  const securityGroups = groups.map((group) => toSecurityGroup(group, index));
  return {
    id,
    number,
    generation,
    blocks: blocks.map(index.readBlock),
    subnets: toSubnets(index.subnets.get(id) ?? [], tables, index.readBlock),
    routeTables: tables.map(([, tableId, tableNumber]) => ({
      id: tableId,
      number: tableNumber,
      routes: (index.routes.get(tableId) ?? []).map((route) => toRoute(route, index)),
    })),
    interfaces: index.interfaces.get(id) ?? [],
    securityGroups,
    peerGroups: toPeerGroups(securityGroups, id, index),
  };
}

function toSubnets(
  subnets: readonly SubnetRow[],
  tables: readonly RouteTableRow[],
  readBlock: BlockReader,
): SubnetIntent[] {
  const numbers = new Map(tables.map(([, id, number]) => [id, number]));
  const [, , mainNumber = 0] = tables.find(([, , , main]) => main) ?? [];
  return subnets.map(([, id, text, tableId]) => {
    const block = readBlock(text);
    const routeTable = numbers.get(tableId ?? "") ?? mainNumber;
    return { id, block, gateway: gatewayOf(block), routeTable };
  });
}

function toRoute([, destination, vpcPeeringId]: RouteRow, index: Index): RouteIntent {
  const peering = index.admitted.get(vpcPeeringId) ?? null;
  return { destination: index.readBlock(destination), peering };
}

function toSecurityGroup([vpcId, id, number]: GroupRow, index: Index): SecurityGroupIntent {
  const rules = index.rules.get(id) ?? [];
  return { id, number, rules: rules.flatMap((rule) => toRule(rule, vpcId, index) ?? []) };
}

/** Undefined for a stale rule: there is nobody that it could mean. */
function toRule(row: RuleRow, vpcId: string, index: Index): RuleIntent | undefined {
  const [, id, number, direction, protocol, fromPort, toPort, block, peerGroupId] = row;
  const rule = { id, number, direction, traffic: storedTraffic({ protocol, fromPort, toPort }) };
  if (block !== null) return { ...rule, peer: { kind: "block", block: index.readBlock(block) } };
  if (peerGroupId === null) return undefined;
  const group = index.named.get(peerGroupId);
  if (group === undefined || wayTo(group, vpcId, index) === undefined) return undefined;
  return { ...rule, peer: { kind: "group", id: peerGroupId, group: group.number } };
}

/** Number of the admitted peering from the VPC to the group's; 0 when that is the same. */
function wayTo(group: NamedGroup, vpcId: string, { ways }: Index): number | undefined {
  return group.vpcId === vpcId ? OWN_VPC : ways.get(vpcId)?.get(group.vpcId);
}

/** In place of a peering's number. */
const OWN_VPC = 0;

function toPeerGroups(
  securityGroups: readonly SecurityGroupIntent[],
  vpcId: string,
  index: Index,
): PeerGroupIntent[] {
  const found = new Map<number, PeerGroupIntent>();
  for (const { peer } of securityGroups.flatMap(({ rules }) => rules)) {
    if (peer.kind === "block" || found.has(peer.group)) continue;
    const group = index.named.get(peer.id);
    const peering = group && wayTo(group, vpcId, index);
    if (group === undefined || peering === undefined) continue;
    found.set(group.number, toPeerGroup(group, peering, index));
  }
  return [...found.values()].sort((a, b) => a.group - b.group);
}

/** The first stay in force: whom somebody else adds to a group takes nobody's place. */
function toPeerGroup(
  { number: group, vpcId, members }: NamedGroup,
  peering: number,
  { peerGroupMembers }: Index,
): PeerGroupIntent {
  const inForce = peering === OWN_VPC ? members : firstWithin(members, peerGroupMembers);
  return { group, peering, vpcId, members: inForce, limited: inForce.length < members.length };
}

/** The first members, as long as they have no more addresses together than so many. */
function firstWithin(members: readonly MemberIntent[], most: number): readonly MemberIntent[] {
  let addresses = 0;
  const beyond = members.findIndex((member) => {
    addresses += addressesCounted(member);
    return addresses > most;
  });
  return beyond === -1 ? members : members.slice(0, beyond);
}

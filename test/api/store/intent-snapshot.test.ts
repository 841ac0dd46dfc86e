import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cidr, formatCidr, formatIp } from "../../../src/domain/cidr.js";
import type { IntentSlice, Scope, VpcIntent } from "../../../src/domain/intent.js";
import type { PeeringState } from "../../../src/domain/lifecycle.js";
import type { PrismaClient } from "../../../src/generated/prisma/client.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { inTransaction, type Tx } from "../../../src/store/database/transaction.js";
import { loadIntent, loadPeeringIntent } from "../../../src/store/intent-snapshot.js";
import { findPeering } from "../../../src/store/vpc-peerings.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { addRule, hubAndThree } from "../../support/intent-fixtures.js";
import { recordingLog } from "../../support/log.js";

const tenantId = "100000000001";
describe.each(databaseEngines)("intent read on $name", (engine) => {
  let fresh: FreshDatabase;
  let database: Database;
  let db: PrismaClient;

  beforeAll(async () => {
    fresh = await engine.fresh();
    database = await openDatabase({ ...fresh, log: recordingLog() });
    db = database.client;
    await db.tenant.create({ data: { id: tenantId, name: "test" } });
  });

  beforeEach(async () => {
    await db.$executeRaw`TRUNCATE "vpc", "vpc_peering" RESTART IDENTITY CASCADE`;
    await db.generation.updateMany({ data: { value: 0 } });
  });

  afterAll(async () => {
    await database.close();
    await fresh.cleanup();
  });

  /** VPC `name` with a main route table `rtb-name`, a subnet `subnet-name` and a group `sg-name`. */
  async function addVpc(name: string, block: string): Promise<void> {
    await db.vpc.create({
      data: {
        id: name,
        tenantId,
        generation: 0,
        blocks: { create: { block, primary: true } },
        tables: { create: { id: `rtb-${name}`, main: true, generation: 0 } },
        subnets: {
          create: { id: `subnet-${name}`, block, availabilityZone: "a", generation: 0 },
        },
        groups: { create: { id: `sg-${name}`, name: "default", isDefault: true, generation: 0 } },
      },
    });
  }

  async function addGroup(id: string, vpcId: string): Promise<void> {
    await db.securityGroup.create({ data: { id, vpcId, name: id, generation: 0 } });
  }

  async function addInterface(
    id: string,
    vpcId: string,
    privateIp: string,
    groupIds: readonly string[],
  ): Promise<void> {
    await db.networkInterface.create({
      data: {
        id,
        vpcId,
        subnetId: `subnet-${vpcId}`,
        privateIp,
        macAddress: `mac of ${id}`,
        generation: 0,
        groups: { create: groupIds.map((groupId) => ({ groupId })) },
      },
    });
  }

  async function addPeering(id: string, from: string, to: string, state: PeeringState) {
    const { number } = await db.vpcPeering.create({
      data: {
        ...{ id, state, statusMessage: "", generation: 0, expiresAt: new Date() },
        ...{ requesterTenantId: tenantId, requesterVpcId: from, requesterBlocks: [] },
        ...{ accepterTenantId: tenantId, accepterVpcId: to, accepterBlocks: [] },
      },
    });
    return number;
  }

  async function numberOf(groupId: string): Promise<number> {
    return (await db.securityGroup.findUniqueOrThrow({ where: { id: groupId } })).number;
  }

  function read(...ids: string[]): Promise<IntentSlice> {
    return loadIntent(db, new Set(ids));
  }

  async function readVpc(id: string, scope: Scope = new Set([id])): Promise<VpcIntent> {
    const vpc = (await loadIntent(db, scope)).vpcs.get(id);
    if (vpc === undefined) throw new Error(`no VPC ${id}`);
    return vpc;
  }

  const rulesOf = ({ securityGroups }: VpcIntent) => securityGroups.flatMap(({ rules }) => rules);

  /** As texts, by number of the group. */
  const peerGroupsOf = (vpc: VpcIntent) =>
    vpc.peerGroups.map(({ group, peering, vpcId, members }) => ({
      group,
      peering,
      vpcId,
      members: members.map(({ id, ip }) => `${id} ${formatIp(ip)}`),
    }));

  it("has an empty VPC with nothing in it", async () => {
    await addVpc("a", "10.0.0.0/16");
    const number = await numberOf("sg-a");
    const vpc = await readVpc("a");
    expect(vpc).toMatchObject({ id: "a", generation: 0, interfaces: [], peerGroups: [] });
    expect(vpc.securityGroups).toEqual([{ id: "sg-a", number, rules: [] }]);
    expect(vpc.routeTables).toMatchObject([{ id: "rtb-a", routes: [] }]);
  });

  it("knows blocks, the primary one first, and where subnets route", async () => {
    await addVpc("a", "10.5.0.0/16");
    await db.vpcCidrBlock.createMany({
      data: ["10.9.0.0/16", "10.1.0.0/16"].map((block) => ({ vpcId: "a", block, primary: false })),
    });
    await db.routeTable.create({ data: { id: "own", vpcId: "a", main: false, generation: 0 } });
    await db.subnet.create({
      data: {
        ...{ id: "second", vpcId: "a", block: "10.9.1.0/24", availabilityZone: "a" },
        ...{ generation: 0, routeTableId: "own" },
      },
    });
    const { blocks, subnets, routeTables } = await readVpc("a");
    expect(blocks.map(formatCidr)).toEqual(["10.5.0.0/16", "10.1.0.0/16", "10.9.0.0/16"]);
    expect(routeTables.map(({ id }) => id)).toEqual(["rtb-a", "own"]);
    const [main, own] = routeTables.map(({ number }) => number);
    expect(subnets.map((subnet) => ({ ...subnet, gateway: formatIp(subnet.gateway) }))).toEqual([
      { id: "subnet-a", block: cidr("10.5.0.0/16"), gateway: "10.5.0.1", routeTable: main },
      { id: "second", block: cidr("10.9.1.0/24"), gateway: "10.9.1.1", routeTable: own },
    ]);
  });

  it("leads routes to admitted peerings and leaves the others as blackholes", async () => {
    for (const [name, block] of hubAndThree) await addVpc(name, block);
    const active = await addPeering("pcx-b", "a", "b", "active");
    const provisioning = await addPeering("pcx-c", "c", "a", "provisioning");
    await addPeering("pcx-d", "a", "d", "deleting");
    const routes = [
      ["10.9.0.0/16", "pcx-gone"],
      ["10.4.0.0/16", "pcx-d"],
      ["10.3.0.0/16", "pcx-c"],
      ["10.2.0.0/16", "pcx-b"],
      ["10.2.0.9/32", "pcx-b"],
    ] as const;
    await db.route.createMany({
      data: routes.map(([destination, vpcPeeringId]) => ({
        ...{ routeTableId: "rtb-a", destination, vpcPeeringId, origin: "user" },
      })),
    });
    const [table] = (await readVpc("a")).routeTables;
    expect(
      table?.routes.map(({ destination, peering }) => [formatCidr(destination), peering]),
    ).toEqual([
      ["10.2.0.0/16", active],
      ["10.2.0.9/32", active],
      ["10.3.0.0/16", provisioning],
      ["10.4.0.0/16", null],
      ["10.9.0.0/16", null],
    ]);
  });

  it("puts interfaces into their groups, and both in the order of numbers", async () => {
    await addVpc("a", "10.0.0.0/16");
    await addGroup("web", "a");
    await addGroup("db", "a");
    await addInterface("z", "a", "10.0.0.7", ["db", "sg-a"]);
    await addInterface("y", "a", "10.0.0.4", []);
    await addInterface("x", "a", "10.0.0.5", ["web"]);
    const [own, web, second] = await Promise.all(["sg-a", "web", "db"].map(numberOf));
    const { interfaces, securityGroups } = await readVpc("a");
    expect(securityGroups.map(({ id }) => id)).toEqual(["sg-a", "web", "db"]);
    expect(interfaces.map(({ number: _, ip, ...rest }) => ({ ...rest, ip: formatIp(ip) }))).toEqual(
      [
        ["z", "10.0.0.7", [own, second]],
        ["y", "10.0.0.4", []],
        ["x", "10.0.0.5", [web]],
      ].map(([id, ip, groups]) => ({
        ...{ id, ip, groups, subnetId: "subnet-a", mac: `mac of ${id}` },
        ...{ secondaryIps: [], addressPairs: [] },
      })),
    );
  });

  it("says what rules allow", async () => {
    await addVpc("a", "10.0.0.0/16");
    const number = await numberOf("sg-a");
    const block = "192.0.2.0/24";
    await addRule(db, "all", "sg-a", { direction: "egress", block: "0.0.0.0/0" });
    await addRule(db, "tcp", "sg-a", { protocol: 6, fromPort: 80, toPort: 89, block });
    await addRule(db, "udp", "sg-a", { protocol: 17, block });
    await addRule(db, "ping", "sg-a", { protocol: 1, fromPort: 8, block });
    await addRule(db, "icmp", "sg-a", { protocol: 1, block });
    await addRule(db, "code", "sg-a", { protocol: 1, fromPort: 3, toPort: 4, block: "192.0.2.1" });
    await addRule(db, "gre", "sg-a", { protocol: 47, from: ["sg-a", "a"] });
    const rules = rulesOf(await readVpc("a"));
    const peer = { kind: "block", block: cidr(block) };
    const direction = "ingress";
    expect(rules.map(({ number: _, ...rule }) => rule)).toEqual([
      {
        ...{ id: "all", direction: "egress", traffic: { kind: "all" } },
        peer: { kind: "block", block: cidr("0.0.0.0/0") },
      },
      {
        ...{ id: "tcp", direction, peer },
        traffic: { kind: "ports", protocol: 6, from: 80, to: 89 },
      },
      {
        ...{ id: "udp", direction, peer },
        traffic: { kind: "ports", protocol: 17, from: 0, to: 65_535 },
      },
      { id: "ping", direction, peer, traffic: { kind: "icmp", type: 8, code: null } },
      { id: "icmp", direction, peer, traffic: { kind: "icmp", type: null, code: null } },
      {
        ...{ id: "code", direction, traffic: { kind: "icmp", type: 3, code: 4 } },
        peer: { kind: "block", block: cidr("192.0.2.1/32") },
      },
      {
        ...{ id: "gre", direction, traffic: { kind: "protocol", protocol: 47 } },
        peer: { kind: "group", id: "sg-a", group: number },
      },
    ]);
    const numbers = rules.map((rule) => rule.number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it("names the members of groups here and across two peerings, whatever the scope", async () => {
    for (const [name, block] of hubAndThree) await addVpc(name, block);
    const toB = await addPeering("pcx-b", "b", "a", "active");
    const toC = await addPeering("pcx-c", "a", "c", "provisioning");
    await addGroup("web-b", "b");
    await addGroup("empty-c", "c");
    await addInterface("eni-a", "a", "10.1.0.4", ["sg-a"]);
    await addInterface("eni-b2", "b", "10.2.0.9", ["web-b"]);
    await addInterface("eni-b1", "b", "10.2.0.4", ["web-b", "sg-b"]);
    await addInterface("eni-c", "c", "10.3.0.4", ["sg-c"]);
    await addRule(db, "own", "sg-a", { from: ["sg-a", "a"] });
    await addRule(db, "own-22", "sg-a", { protocol: 6, from: ["sg-a", "a"] });
    await addRule(db, "b", "sg-a", { from: ["web-b", "b"] });
    await addRule(db, "b-out", "sg-a", { direction: "egress", from: ["web-b", "b"] });
    await addRule(db, "c", "sg-a", { from: ["empty-c", "c"] });
    // Of nobody's interest to a: its peers' own rules.
    await addRule(db, "of-b", "web-b", { from: ["sg-a", "a"] });
    const [a, b, c] = await Promise.all(["sg-a", "web-b", "empty-c"].map(numberOf));
    const vpc = await readVpc("a");
    expect(peerGroupsOf(vpc)).toEqual([
      { group: a, peering: 0, vpcId: "a", members: ["eni-a 10.1.0.4"] },
      { group: b, peering: toB, vpcId: "b", members: ["eni-b2 10.2.0.9", "eni-b1 10.2.0.4"] },
      { group: c, peering: toC, vpcId: "c", members: [] },
    ]);
    expect(rulesOf(vpc).map(({ id }) => id)).toEqual(["own", "own-22", "b", "b-out", "c"]);
    for (const scope of [new Set(["a", "b"]), new Set(["c", "a", "d"]), "all" as const]) {
      const seen = await readVpc("a", scope);
      expect({ ...seen, peerGroups: peerGroupsOf(seen) }).toEqual({
        ...vpc,
        peerGroups: peerGroupsOf(vpc),
      });
    }
    for (const scope of [new Set(["b"]), "all" as const]) {
      expect(peerGroupsOf(await readVpc("b", scope))).toEqual([
        { group: a, peering: toB, vpcId: "a", members: ["eni-a 10.1.0.4"] },
      ]);
    }
  });

  it("leaves out stale rules, and the groups that they named", async () => {
    for (const [name, block] of hubAndThree) await addVpc(name, block);
    await addPeering("pcx-b", "a", "b", "pending-acceptance");
    await addPeering("pcx-c", "a", "c", "deleting");
    await addPeering("pcx-bd", "b", "d", "active");
    await addInterface("eni-b", "b", "10.2.0.4", ["sg-b"]);
    await addRule(db, "kept", "sg-a", { block: "10.0.0.0/8" });
    await addRule(db, "gone", "sg-a", { from: ["sg-gone", "a"] });
    await addRule(db, "gone-with-its-vpc", "sg-a", { from: ["sg-gone-too", "vpc-gone"] });
    await addRule(db, "pending", "sg-a", { from: ["sg-b", "b"] });
    await addRule(db, "deleting", "sg-a", { from: ["sg-c", "c"] });
    await addRule(db, "peer-of-a-peer", "sg-a", { from: ["sg-d", "d"] });
    for (const scope of [new Set(["a"]), new Set(["a", "b", "c"]), "all" as const]) {
      const vpc = await readVpc("a", scope);
      expect(rulesOf(vpc).map(({ id }) => id)).toEqual(["kept"]);
      expect(vpc.peerGroups).toEqual([]);
    }
    await db.vpcPeering.updateMany({ where: { id: "pcx-b" }, data: { state: "active" } });
    expect(rulesOf(await readVpc("a")).map(({ id }) => id)).toEqual(["kept", "pending"]);
  });

  it("holds the live peerings of the scope with the facts of both sides", async () => {
    for (const [name, block] of hubAndThree) await addVpc(name, block);
    const number = await addPeering("pcx-ab", "a", "b", "provisioning");
    await addPeering("pcx-ca", "c", "a", "deleting");
    await addPeering("pcx-ad", "a", "d", "pending-acceptance");
    await addPeering("pcx-bc", "b", "c", "active");
    const slice = await read("a");
    const all = await loadIntent(db, "all");
    expect(all.peerings.map(({ id }) => id)).toEqual(["pcx-ab", "pcx-ca", "pcx-bc"]);
    expect(slice.peerings.map(({ id }) => id)).toEqual(["pcx-ab", "pcx-ca"]);
    const [a, b] = await Promise.all(
      ["a", "b"].map((id) => db.vpc.findUniqueOrThrow({ where: { id } })),
    );
    expect(slice.peerings[0]).toEqual({
      id: "pcx-ab",
      number,
      requester: { vpcId: "a", vpcNumber: a?.number, blocks: [cidr("10.1.0.0/16")] },
      accepter: { vpcId: "b", vpcNumber: b?.number, blocks: [cidr("10.2.0.0/16")] },
      admitted: true,
      settling: true,
    });
    expect(slice.peerings[1]).toMatchObject({ admitted: false, settling: true });
    const peering = await findPeering(db, "pcx-ab");
    expect(peering && (await loadPeeringIntent(db, peering))).toEqual(slice.peerings[0]);
    await addPeering("pcx-gone", "a", "vpc-gone", "deleted");
    const ended = await findPeering(db, "pcx-gone");
    expect(ended && (await loadPeeringIntent(db, ended))).toBeUndefined();
  });

  it("has only what is in the scope, and of that only what exists", async () => {
    for (const [name, block] of hubAndThree) await addVpc(name, block);
    await addPeering("pcx-ab", "a", "b", "active");
    await db.generation.updateMany({ data: { value: 7 } });
    const some = await read("a", "d", "vpc-gone");
    expect([...some.vpcs.keys()]).toEqual(["a", "d"]);
    expect({ ...some, vpcs: 0, peerings: 0 }).toEqual({
      scope: new Set(["a", "d", "vpc-gone"]),
      generation: 7,
      vpcs: 0,
      peerings: 0,
    });
    const nothing = await read();
    expect(nothing).toMatchObject({ generation: 7, vpcs: new Map(), peerings: [] });
    const all = await loadIntent(db, "all");
    expect([...all.vpcs.keys()]).toEqual(["a", "b", "c", "d"]);
    expect(all.vpcs.get("a")).toEqual(some.vpcs.get("a"));
  });

  it("reads addresses of either family", async () => {
    await addVpc("a", "2001:db8::/64");
    await addVpc("b", "10.2.0.0/16");
    await addPeering("pcx-ab", "a", "b", "active");
    await addInterface("six", "a", "2001:db8::5", ["sg-a"]);
    await addInterface("top", "b", "10.2.255.254", ["sg-b"]);
    await addRule(db, "from-six", "sg-b", { from: ["sg-a", "a"] });
    const { blocks, interfaces } = await readVpc("a");
    expect(blocks.map(formatCidr)).toEqual(["2001:db8::/64"]);
    expect(interfaces.map(({ ip }) => formatIp(ip))).toEqual(["2001:db8::5"]);
    const other = await readVpc("b");
    expect(other.interfaces.map(({ ip }) => formatIp(ip))).toEqual(["10.2.255.254"]);
    expect(other.peerGroups.map(({ members }) => members.map(({ ip }) => formatIp(ip)))).toEqual([
      ["2001:db8::5"],
    ]);
  });

  it("asks the database once", async () => {
    await addVpc("a", "10.0.0.0/16");
    for (const scope of [new Set(["a"]), "all" as const]) {
      let statements = 0;
      const $queryRaw = (...args: Parameters<PrismaClient["$queryRaw"]>) => {
        statements += 1;
        return db.$queryRaw(...args);
      };
      // Anything else that is asked of this client fails.
      await loadIntent({ $queryRaw } as unknown as PrismaClient, scope);
      expect(statements).toBe(1);
    }
  });

  it("never mixes what stood before a change with what stands after it", async () => {
    await addVpc("a", "10.1.0.0/16");
    await addVpc("b", "10.2.0.0/16");
    await addPeering("pcx-ab", "a", "b", "active");
    await addRule(db, "names-b", "sg-a", { from: ["sg-b", "b"] });
    // In generation n each VPC has n interfaces, in its group, and n rules besides the first.
    let writing = true;
    const writers = Array.from({ length: 3 }, async () => {
      for (let i = 0; i < 15; i += 1) await inTransaction(db, grow);
    });
    const written = Promise.all(writers).finally(() => {
      writing = false;
    });
    const seen = new Set<number>();
    while (writing) {
      for (const scope of [new Set(["a"]), new Set(["a", "b"]), "all" as const]) {
        const { generation, vpcs } = await loadIntent(db, scope);
        for (const vpc of vpcs.values()) {
          expect(vpc.generation).toBe(generation);
          expect(vpc.interfaces).toHaveLength(generation);
          expect(vpc.interfaces.every(({ groups }) => groups.length === 1)).toBe(true);
          expect(rulesOf(vpc)).toHaveLength(generation + (vpc.id === "a" ? 1 : 0));
        }
        expect(vpcs.get("a")?.peerGroups[0]?.members).toHaveLength(generation);
        seen.add(generation);
      }
    }
    await written;
    expect((await read("a")).generation).toBe(45);
    expect(seen.size).toBeGreaterThan(1);
  });

  async function grow(tx: Tx): Promise<void> {
    const { value } = await tx.generation.update({
      where: { singleton: true },
      data: { value: { increment: 1 } },
    });
    for (const [vpcId, net] of [
      ["b", "10.2.0"],
      ["a", "10.1.0"],
    ] as const) {
      await tx.vpc.update({ where: { id: vpcId }, data: { generation: value } });
      const id = `eni-${vpcId}-${value}`;
      await tx.networkInterface.create({
        data: {
          ...{ id, vpcId, subnetId: `subnet-${vpcId}`, privateIp: `${net}.${value + 10n}` },
          ...{ macAddress: id, generation: value, groups: { create: { groupId: `sg-${vpcId}` } } },
        },
      });
      await addRule(tx, `rule-${vpcId}-${value}`, `sg-${vpcId}`, { block: `192.0.2.${value}` });
    }
  }
});

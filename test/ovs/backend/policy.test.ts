import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cidr } from "../../../src/domain/cidr.js";
import type {
  PeerGroupIntent,
  PeeringIntent,
  RuleIntent,
  RulePeer,
  VpcIntent,
} from "../../../src/domain/intent.js";
import { ICMP, TCP, type Traffic, UDP } from "../../../src/domain/traffic.js";
import { eniId, peeringIntent, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { connects, hold, type Talk, talk } from "../connections.js";
import { ALL_WELL, eventually, type Installation, install } from "./fixture.js";

/** Group of VPC n's interfaces. */
const groupOf = (n: number) => n;
const ANYWHERE: RulePeer = { kind: "block", block: cidr("0.0.0.0/0") };
const ALL: Traffic = { kind: "all" };
const tcp = (from: number, to = from): Traffic => ({ kind: "ports", protocol: TCP, from, to });
const udp = (port: number): Traffic => ({ kind: "ports", protocol: UDP, from: port, to: port });
const from = (block: string): RulePeer => ({ kind: "block", block: cidr(block) });
const members = (n: number): RulePeer => ({ kind: "group", id: `sg-${n}`, group: groupOf(n) });

type Rule = readonly ["ingress" | "egress", Traffic, RulePeer];

/** What a group allows that nobody has touched: itself, and everything outward. */
const DEFAULTS = (n: number): Rule[] => [
  ["ingress", ALL, members(n)],
  ["egress", ALL, ANYWHERE],
];

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
let peerings: PeeringIntent[];
const rules = new Map<number, Rule[]>();
const host = new Map<string, Host>();

const at = (name: string): Host => {
  const found = host.get(name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
};

/** VPCs 1, 2 and 3; 3 has the addresses of 1. Each interface is in its VPC's one group. */
function vpcs(): VpcIntent[] {
  return [1, 2, 3].map((n) => {
    const bare = n === 3 ? { ...vpcIntent(1, 2), ...identityOf(3) } : vpcIntent(n, 2);
    const own = (rules.get(n) ?? DEFAULTS(n)).map(([direction, traffic, peer], index) => {
      const number = n * 100 + index;
      return { id: `sgr-${number}`, number, direction, traffic, peer } satisfies RuleIntent;
    });
    const group = { id: `sg-${n}`, number: groupOf(n), rules: own };
    return { ...bare, securityGroups: [group], peerGroups: namedGroups(n, own) };
  });
}

function identityOf(n: number) {
  const { id, number, interfaces, subnets, routeTables } = vpcIntent(n, 2);
  const bare = vpcIntent(1, 2);
  return {
    id,
    number,
    subnets: bare.subnets.map((subnet, i) => ({
      ...subnet,
      id: subnets[i]?.id ?? "",
      routeTable: n,
    })),
    routeTables,
    interfaces: interfaces.map((eni, i) => ({ ...eni, ip: bare.interfaces[i]?.ip ?? eni.ip })),
  };
}

function namedGroups(n: number, own: readonly RuleIntent[]): PeerGroupIntent[] {
  const named = new Set(own.flatMap(({ peer }) => (peer.kind === "group" ? [peer.group] : [])));
  return [...named].flatMap((group) => {
    const members = (group === 3 ? identityOf(3) : vpcIntent(group, 2)).interfaces;
    const named = { group, vpcId: vpcId(group), members, limited: false };
    if (group === n) return [{ ...named, peering: 0 }];
    const way = peerings.find((peering) => joins(peering, n, group));
    return way === undefined ? [] : [{ ...named, peering: way.number }];
  });
}

function joins({ requester, accepter, admitted }: PeeringIntent, a: number, b: number): boolean {
  const ends = [requester.vpcId, accepter.vpcId];
  return admitted && ends.includes(vpcId(a)) && ends.includes(vpcId(b));
}

/** Every VPC routes to its peers' blocks. */
function routed(vpc: VpcIntent): VpcIntent {
  const routes = peerings.flatMap(({ number, requester, accepter, admitted }) => {
    const peer = requester.vpcId === vpc.id ? accepter : requester;
    if (!admitted || ![requester.vpcId, accepter.vpcId].includes(vpc.id)) return [];
    return peer.blocks.map((destination) => ({ destination, peering: number }));
  });
  return { ...vpc, routeTables: vpc.routeTables.map((table) => ({ ...table, routes })) };
}

async function apply(): Promise<void> {
  const outcome = await installation.reconcile(slice("all", vpcs().map(routed), peerings));
  expect(outcome).toMatchObject(ALL_WELL);
}

async function setRules(n: number, own: Rule[]): Promise<void> {
  rules.set(n, own);
  await apply();
}

beforeAll(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox);
  peerings = [];
  await apply();
  for (const n of [1, 2, 3]) for (const index of [0, 1]) await plug(n, index);
  const ids = [1, 2, 3].flatMap((n) => [eniId(n, 0), eniId(n, 1)]);
  const { backend } = installation;
  await eventually(() => ids.every((id) => backend.binding(id).kind === "bound"));
});

async function plug(n: number, index: number): Promise<void> {
  const block = n === 3 ? 1 : n;
  const name = `${"abc"[n - 1]}${index}`;
  const created = await hosts.create({
    bridge: installation.names.vpcBridge(n),
    address: `10.${block}.1.${4 + index}/24`,
    mac: `02:00:00:00:0${n}:0${4 + index}`,
    gateway: `10.${block}.1.1`,
    ifaceId: eniId(n, index),
  });
  host.set(name, created);
}

beforeEach(async () => {
  rules.clear();
  peerings = [peeringIntent(101, 1, 2)];
  await apply();
});

afterAll(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

describe("a group that nobody has touched", () => {
  it("lets its members talk, and nobody else in", async () => {
    expect(await connects(at("a0"), at("a1"), 80)).toBe(true);
    expect(await at("a0").ping(at("a1").ip)).toBe(true);
    expect(await connects(at("a0"), at("b0"), 80)).toBe(false);
    expect(await at("a0").ping(at("b0").ip)).toBe(false);
  });
});

describe("a rule for a port", () => {
  it("opens this port in this direction, for these addresses", async () => {
    await setRules(2, [...DEFAULTS(2), ["ingress", tcp(443), from("10.1.1.4/32")]]);
    expect(await connects(at("a0"), at("b0"), 443)).toBe(true);
    expect(await connects(at("a0"), at("b0"), 444)).toBe(false);
    expect(await connects(at("a1"), at("b0"), 443)).toBe(false);
    expect(await connects(at("b0"), at("a0"), 443)).toBe(false);
  });

  it("covers just the range, whatever its bounds", async () => {
    await setRules(2, [...DEFAULTS(2), ["ingress", tcp(1021, 5003), ANYWHERE]]);
    for (const [port, open] of [
      [1020, false],
      [1021, true],
      [3000, true],
      [5003, true],
      [5004, false],
    ] as const) {
      expect([port, await connects(at("a0"), at("b0"), port)]).toEqual([port, open]);
    }
  });

  it("of the sender is needed too", async () => {
    await setRules(2, [["ingress", ALL, ANYWHERE]]);
    await setRules(1, [["egress", tcp(443), ANYWHERE]]);
    expect(await connects(at("a0"), at("b0"), 443)).toBe(true);
    expect(await connects(at("a0"), at("b0"), 444)).toBe(false);
    expect(await connects(at("b0"), at("a0"), 443)).toBe(false);
  });
});

describe("a rule for a group", () => {
  it("of a peered VPC lets in its members and ends with the peering", async () => {
    await setRules(2, [...DEFAULTS(2), ["ingress", tcp(443), members(1)]]);
    expect(await connects(at("a0"), at("b0"), 443)).toBe(true);
    peerings = [peeringIntent(102, 3, 2)].map((p) => ({
      ...p,
      requester: { ...p.requester, blocks: [cidr("10.1.0.0/16")] },
    }));
    await apply();
    expect(await connects(at("c0"), at("b0"), 443)).toBe(false);
    await setRules(2, [...DEFAULTS(2), ["ingress", tcp(443), members(3)]]);
    expect(await connects(at("c0"), at("b0"), 443)).toBe(true);
  });
});

describe("ICMP", () => {
  it("passes by type and code, answers without a rule", async () => {
    const echo: Traffic = { kind: "icmp", type: 8, code: 0 };
    await setRules(2, [...DEFAULTS(2), ["ingress", echo, ANYWHERE]]);
    expect(await at("a0").ping(at("b0").ip)).toBe(true);
    expect(await at("b0").ping(at("a0").ip)).toBe(false);
    await setRules(2, [
      ...DEFAULTS(2),
      ["ingress", { kind: "icmp", type: 13, code: null }, ANYWHERE],
    ]);
    expect(await at("a0").ping(at("b0").ip)).toBe(false);
    await setRules(2, [
      ...DEFAULTS(2),
      ["ingress", { kind: "protocol", protocol: ICMP }, ANYWHERE],
    ]);
    expect(await at("a0").ping(at("b0").ip)).toBe(true);
  });

  it("errors about a connection pass without a rule", async () => {
    await setRules(2, [...DEFAULTS(2), ["ingress", udp(9), ANYWHERE]]);
    const refused = await at("a0").exec(
      "python3",
      "-c",
      [
        "import socket",
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "s.settimeout(2)",
        `s.connect(('${at("b0").ip}', 9))`,
        "s.send(b'x')",
        "try:",
        "  s.recv(9); print('answer')",
        "except ConnectionRefusedError: print('refused')",
        "except TimeoutError: print('silence')",
      ].join("\n"),
    );
    expect(refused).toBe("refused");
  });
});

describe("a connection that is held", () => {
  const OPEN: Rule[] = [...DEFAULTS(2), ["ingress", tcp(443), ANYWHERE]];

  it("goes on while rules about others change, and ends with its own", async () => {
    await setRules(2, OPEN);
    const held = await hold(at("a0"), at("b0"), 443);
    expect(await held.echoes()).toBe(true);
    await setRules(2, [...OPEN, ["ingress", tcp(80), ANYWHERE]]);
    expect(await held.echoes()).toBe(true);
    await setRules(2, DEFAULTS(2));
    expect(await held.echoes()).toBe(false);
    await setRules(2, OPEN);
    // What TCP sends again comes later each time.
    await eventually(() => held.echoes());
    held.end();
  });

  it("is cut also for one who only answers", async () => {
    await setRules(2, [...DEFAULTS(2), ["ingress", udp(5000), ANYWHERE]]);
    const stream: Talk = await talk(at("a0"), at("b0"), 5000);
    await eventually(async () => (await stream.heard()) > 20);
    await setRules(2, DEFAULTS(2));
    const then = await stream.heard();
    await stream.sentMore(50);
    expect(await stream.heard()).toBe(then);
    await setRules(2, [...DEFAULTS(2), ["ingress", udp(5000), ANYWHERE]]);
    await eventually(async () => (await stream.heard()) > then);
    stream.end();
  });

  it("ends with its peering: nobody answers in the old peer's place", async () => {
    await setRules(2, OPEN);
    await setRules(1, [
      ["ingress", ALL, ANYWHERE],
      ["egress", ALL, ANYWHERE],
    ]);
    const stream: Talk = await talk(at("b0"), at("a0"), 5000);
    await eventually(async () => (await stream.heard()) > 5);
    peerings = [peeringIntent(102, 3, 2)].map((p) => ({
      ...p,
      requester: { ...p.requester, blocks: [cidr("10.1.0.0/16")] },
    }));
    await setRules(3, [["egress", ALL, ANYWHERE]]);
    const then = await stream.heard();
    const impostor = await stream.answerInstead(at("c0"));
    await impostor.sentMore(30);
    expect(await stream.heard()).toBe(then);
    impostor.end();
    stream.end();
  });
});

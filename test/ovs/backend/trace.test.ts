import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { formatIp, type Ip } from "../../../src/domain/cidr.js";
import type { VpcIntent } from "../../../src/domain/intent.js";
import { judge } from "../../../src/domain/reachability/judge.js";
import type { Opening, Question } from "../../../src/domain/reachability/question.js";
import { agree, type TraceOutcome, untraceable } from "../../../src/domain/reachability/trace.js";
import type { StopCode, Verdict } from "../../../src/domain/reachability/verdict.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { probeOf } from "../../../src/services/reachability/probe.js";
import { patient } from "../../support/patience.js";
import { uniqueName } from "../../support/sandbox.js";
import { anyGuardedTopology, OPENINGS } from "../../unit/domain/reachability/arbitrary.js";
import { everyInterface } from "../../unit/domain/reachability/oracle.js";
import {
  autoRouted,
  peering,
  type Topology,
  vpc,
  wholeIntent,
} from "../../unit/pipeline/topologies.js";
import { ALL_WELL, eventually, stageForAll } from "./fixture.js";

vi.setConfig({ testTimeout: patient(300_000) });

/** Of many topologies, the few in which the most different things happen. */
const SAMPLED = 400;
const TRIED = 8;
/** The same ones every time: a difference that is found once stays found. */
const SEED = 20_261_121;

const stage = stageForAll();
const tag = uniqueName("t").slice(0, 7);

async function program(topology: Topology): Promise<void> {
  const intent = wholeIntent(topology);
  expect(await stage.installation.reconcile(intent)).toMatchObject(ALL_WELL);
  for (const each of topology.vpcs) await plugAll(each);
  const { backend } = stage.installation;
  // Nobody sets these devices up: their ports are dead, and have their flows all the same.
  const dead = ({ eni }: { eni: { id: string } }) => backend.binding(eni.id).kind === "dead";
  await eventually(() => everyInterface(topology).every(dead));
  expect(await stage.installation.reconcile(intent)).toMatchObject(ALL_WELL);
}

/** Each on a port of its own; one port of a bridge that is gone went with it. */
async function plugAll({ number, interfaces }: VpcIntent): Promise<void> {
  const bridge = stage.installation.names.vpcBridge(number);
  const there = (await stage.sandbox.vsctl("list-ports", bridge)).split("\n");
  for (const { id, number: eni } of interfaces) {
    const name = `${tag}${eni}`;
    if (there.includes(name)) continue;
    const settings = ["type=internal", `external_ids:iface-id=${id}`];
    await stage.sandbox.vsctl(
      "add-port",
      bridge,
      name,
      "--",
      "set",
      "Interface",
      name,
      ...settings,
    );
  }
}

interface Traced {
  readonly verdict: Verdict;
  readonly outcome: TraceOutcome;
}

type Asked = readonly [topology: Topology, networkInterfaceId: string, to: Ip, opening: Opening];

function questionOf([, networkInterfaceId, to, opening]: Asked): Question {
  return { vpcId: `vpc-${networkInterfaceId.split("-")[1]}`, networkInterfaceId, to, opening };
}

const byId = ({ vpcs }: Topology) => new Map(vpcs.map((each) => [each.id, each]));

function judged(...asked: Asked): Verdict {
  const [topology] = asked;
  const { peerings } = topology;
  const facts = { vpcs: byId(topology), peerings, isPluggedIn: () => true, isFull: () => false };
  const verdict = judge(facts, questionOf(asked));
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

async function ask(...asked: Asked): Promise<Traced> {
  const verdict = judged(...asked);
  expect(untraceable(verdict)).toBeUndefined();
  const probe = probeOf(byId(asked[0]), questionOf(asked), verdict);
  return { verdict, outcome: await stage.installation.backend.trace(probe) };
}

async function expectAgreement(...asked: Asked): Promise<Verdict> {
  const { verdict, outcome } = await ask(...asked);
  const [, networkInterfaceId, to, opening] = asked;
  if (outcome.kind !== "traced") throw new Error(outcome.why);
  if (agree(verdict, { networkInterfaceId }, outcome)) return verdict;
  const story = { from: networkInterfaceId, to: formatIp(to), opening, verdict, outcome };
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
  throw new Error(`they differ: ${JSON.stringify(story, plain, 1)}`);
}

const PING: Opening = { kind: "icmp", type: 8, code: 0 };
const HTTPS: Opening = { kind: "ports", protocol: 6, port: 443 };
const a = vpc(1, ["10.10.1.0/24", "10.10.2.0/24"]);
const b = vpc(2, ["10.20.1.0/24"]);
const PEERED = autoRouted({ vpcs: [a, b], peerings: [peering(101, a, b)] });
const ip = (text: string): Ip => ({
  family: 4,
  value: text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n),
});

describe("two peers", () => {
  beforeAll(() => program(PEERED));

  it("are followed step by step, there and back", async () => {
    const { outcome } = await ask(PEERED, "eni-1-0", ip("10.20.1.10"), HTTPS);
    const { names } = stage.installation;
    const leaving = ["entry", "spoofGuard", "route", "egressPolicy", "peering"];
    const arriving = ["entry", "fromPeer", "receiver", "returnRoute", "receiver"];
    const way = (from: number, to: number) => [
      { bridge: names.vpcBridge(from), vpcId: `vpc-${from}`, stages: leaving },
      { bridge: names.exchange, vpcId: null, stages: ["exchange"] },
      {
        bridge: names.vpcBridge(to),
        vpcId: `vpc-${to}`,
        stages: [...arriving, "ingressPolicy", "delivery"],
      },
    ];
    expect(outcome).toEqual({
      kind: "traced",
      there: {
        steps: way(1, 2),
        dropped: undefined,
        delivered: { networkInterfaceId: "eni-2-0" },
      },
      back: { steps: way(2, 1), dropped: undefined, delivered: { networkInterfaceId: "eni-1-0" } },
    });
  });

  it.each<[string, string, Opening, StopCode | undefined]>([
    ["an interface of the VPC", "10.10.2.10", HTTPS, undefined],
    ["a gateway", "10.10.2.1", PING, undefined],
    ["a gateway, for more than a ping", "10.10.2.1", HTTPS, "gatewayOnlyAnswersPing"],
    ["a peer's gateway", "10.20.1.1", PING, "gatewayOnlyAnswersPing"],
    ["nobody here", "10.10.2.99", PING, "noSuchAddress"],
    ["nobody there", "10.20.1.99", PING, "noSuchAddress"],
    ["no subnet there", "10.20.7.7", PING, "noSuchAddress"],
    ["nowhere", "10.99.1.1", PING, "noRoute"],
    ["everybody", "224.0.0.1", PING, "notUnicast"],
    ["the whole subnet", "10.10.1.255", PING, "notUnicast"],
    ["a protocol of no name", "10.20.1.10", { kind: "protocol", protocol: 47 }, undefined],
    ["sctp", "10.20.1.10", { kind: "protocol", protocol: 132 }, undefined],
    ["the time", "10.20.1.10", { kind: "icmp", type: 13, code: 0 }, undefined],
  ])("agree with the verdict on %s", async (_what, to, opening, code) => {
    const verdict = await expectAgreement(PEERED, "eni-1-0", ip(to), opening);
    expect(verdict.stop?.code).toBe(code);
  });
});

describe("flows that somebody changed", () => {
  const across = [PEERED, "eni-1-0", ip("10.20.1.10"), HTTPS] as const;

  async function differs(): Promise<TraceOutcome> {
    const { verdict, outcome } = await ask(...across);
    if (outcome.kind !== "traced") throw new Error(outcome.why);
    expect(agree(verdict, { networkInterfaceId: "eni-1-0" }, outcome)).toBe(false);
    return outcome;
  }

  async function restored(): Promise<void> {
    await stage.installation.reconcile(wholeIntent(PEERED), true);
    await expectAgreement(...across);
  }

  beforeAll(() => program(PEERED));

  it("on the exchange, show where the packet ends", async () => {
    await stage.sandbox.ofctl("del-flows", stage.installation.names.exchange, "ip");
    expect(await differs()).toMatchObject({ there: { dropped: "exchange", delivered: undefined } });
    await restored();
  });

  it("on the way back only, show there", async () => {
    const bridge = stage.installation.names.vpcBridge(2);
    const route = `table=${VPC_TABLES.route.number},ip,nw_dst=10.10.0.0/16`;
    await stage.sandbox.ofctl("del-flows", bridge, route);
    expect(await differs()).toMatchObject({
      there: { dropped: undefined },
      back: { dropped: "route", delivered: undefined },
    });
    await restored();
  });

  it("that let in what no rule allows, show as well", async () => {
    const closed = {
      ...PEERED,
      vpcs: PEERED.vpcs.map((each) => ({ ...each, securityGroups: [] })),
    };
    const { verdict, outcome } = await ask(closed, "eni-1-0", ip("10.20.1.10"), HTTPS);
    if (outcome.kind !== "traced") throw new Error(outcome.why);
    expect(verdict.stop?.code).toBe("egressPolicy");
    expect(agree(verdict, { networkInterfaceId: "eni-1-0" }, outcome)).toBe(false);
  });
});

/** Every question between two interfaces. */
function everyQuestion(topology: Topology): Asked[] {
  const ends = everyInterface(topology);
  return ends.flatMap(({ eni }) =>
    ends
      .filter((other) => other.eni.ip.value !== eni.ip.value)
      .flatMap(({ eni: { ip: to } }) =>
        OPENINGS.map((opening): Asked => [topology, eni.id, to, opening]),
      ),
  );
}

function codesOf(topology: Topology): Set<string> {
  const verdicts = everyQuestion(topology).map((of) => judged(...of));
  return new Set(verdicts.map(({ stop }) => stop?.code ?? "reached"));
}

describe("any topology", () => {
  const codes = new Map(
    fc
      .sample(anyGuardedTopology(), { numRuns: SAMPLED, seed: SEED })
      .map((topology) => [topology, codesOf(topology)] as const)
      .sort(([, one], [, other]) => other.size - one.size)
      .slice(0, TRIED),
  );

  it("is judged as the switch judges it, for the same reasons", async () => {
    for (const topology of codes.keys()) {
      await program(topology);
      for (const of of everyQuestion(topology)) await expectAgreement(...of);
    }
    const all = new Set([...codes.values()].flatMap((each) => [...each]));
    expect([...all]).toEqual(
      expect.arrayContaining([
        "reached",
        "noRoute",
        "blackhole",
        "egressPolicy",
        "ingressPolicy",
        "noRouteBack",
        "ambiguousSource",
      ]),
    );
  });
});

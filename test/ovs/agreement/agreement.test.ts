import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { judge } from "../../../src/domain/reachability/judge.js";
import type { Opening, Question } from "../../../src/domain/reachability/question.js";
import { agree } from "../../../src/domain/reachability/trace.js";
import type { Verdict } from "../../../src/domain/reachability/verdict.js";
import { probeOf } from "../../../src/services/reachability/probe.js";
import { patient } from "../../support/patience.js";
import { waitFor } from "../../support/rest.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { anyGuardedTopology, OPENINGS } from "../../unit/domain/reachability/arbitrary.js";
import { everyInterface } from "../../unit/domain/reachability/oracle.js";
import { type Topology, wholeIntent } from "../../unit/pipeline/topologies.js";
import { ALL_WELL, eventually, type Installation, install } from "../backend/fixture.js";
import { answerFrame, openingFrame } from "./packets.js";
import { Ports } from "./ports.js";

vi.setConfig({ testTimeout: patient(600_000) });

/** Of so many intents, drawn with this seed; the long form looks at 200 (`test:agreement`). */
const INTENTS = Number(process.env["AGREEMENT_INTENTS"] ?? 40);
const SEED = Number(process.env["PATCHBAY_TEST_SEED"] ?? 20_261_121);
/** Pairs tried for each intent. */
const PAIRS = 6;
const ARRIVAL_LIMIT_MS = 10_000;
const PING: Opening = { kind: "icmp", type: 8, code: 0 };

let sandbox: Sandbox;
let installation: Installation;
let ports: Ports;
let count = 0;

beforeAll(async () => {
  sandbox = await startSandbox();
  installation = await install(sandbox);
  ports = new Ports(sandbox);
});

afterAll(async () => {
  await ports.close();
  await installation.stop();
  await sandbox.stop();
});

interface End {
  readonly vpc: VpcIntent;
  readonly eni: InterfaceIntent;
}

/** One connection that is tried, and what is to become of it. */
interface Trial {
  readonly label: string;
  readonly from: End;
  readonly to: End;
  readonly opening: Opening;
  readonly verdict: Verdict;
}

async function program(topology: Topology): Promise<void> {
  const intent = wholeIntent(topology);
  const { backend, names } = installation;
  expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
  for (const { vpc, eni } of everyInterface(topology)) {
    await ports.plug(names.vpcBridge(vpc.number), eni.id);
  }
  const bound = ({ eni }: End) => backend.binding(eni.id).kind === "bound";
  await eventually(() => everyInterface(topology).every(bound));
  expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
}

function judged({ vpcs, peerings }: Topology, question: Question): Verdict {
  const facts = {
    vpcs: new Map(vpcs.map((each) => [each.id, each])),
    peerings,
    isPluggedIn: () => true,
    isFull: () => false,
  };
  const verdict = judge(facts, question);
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

/** A pair is given by two numbers of any size, the connection by a third. */
function trialsOf(
  topology: Topology,
  draws: readonly (readonly [number, number, number])[],
): Trial[] {
  const ends = everyInterface(topology);
  const tried = new Set<string>();
  return draws.flatMap(([a, b, c]) => {
    const [from, to] = [ends[a % ends.length], ends[b % ends.length]];
    const opening = OPENINGS[c % OPENINGS.length];
    if (from === undefined || to === undefined || opening === undefined) return [];
    if (from.eni.ip.value === to.eni.ip.value || mayBeAnAnswer(tried, from, to, opening)) return [];
    tried.add(pairKey(from, to));
    count += 1;
    const verdict = judged(topology, questionOf(from, to, opening));
    return [{ label: `t${count}`, from, to, opening, verdict }];
  });
}

/** Without ports, a packet the other way belongs to the connection that was opened this way. */
function mayBeAnAnswer(tried: ReadonlySet<string>, from: End, to: End, opening: Opening): boolean {
  return opening.kind === "protocol" && tried.has(pairKey(to, from));
}

const pairKey = (from: End, to: End) => `${from.eni.id} ${to.eni.id}`;

function questionOf(from: End, to: End, opening: Opening): Question {
  return { vpcId: from.vpc.id, networkInterfaceId: from.eni.id, to: to.eni.ip, opening };
}

/** Whose the first packet is to be: it arrives also where only the answer does not come back. */
function receiverOf({ verdict }: Trial): string[] {
  const { stop, answering } = verdict;
  if (stop !== undefined && stop.code !== "noRouteBack") return [];
  return typeof answering === "object" ? [answering.networkInterfaceId] : [];
}

const sentBy = ({ vpc, eni }: End, to: End) => ({
  macs: { from: eni.mac, to: routerMac(vpc.number) },
  from: eni.ip,
  to: to.eni.ip,
});

/**
 * Waits until whatever was sent before has gone its way. Each interface pings its own gateway, which
 * answers whatever the groups are: twice, since the switch may look at another port first.
 */
async function settle(topology: Topology): Promise<void> {
  for (const _round of [1, 2]) {
    const pings = everyInterface(topology).map(({ vpc, eni }) => {
      count += 1;
      const gateway = vpc.subnets.find(({ id }) => id === eni.subnetId)?.gateway ?? eni.ip;
      const ends = {
        macs: { from: eni.mac, to: routerMac(vpc.number) },
        from: eni.ip,
        to: gateway,
      };
      const label = `p${count}`;
      ports.send(eni.id, openingFrame(label, ends, PING));
      return { label, id: eni.id };
    });
    const all = () => pings.every(({ label, id }) => ports.seen(label).includes(id));
    await waitFor(all, ARRIVAL_LIMIT_MS, "answers of the gateways");
  }
}

async function expectPackets(topology: Topology, trials: readonly Trial[]): Promise<void> {
  for (const { label, from, to, opening } of trials) {
    ports.send(from.eni.id, openingFrame(label, sentBy(from, to), opening));
  }
  await settle(topology);
  for (const trial of trials)
    expect(ports.seen(trial.label), story(trial)).toEqual(receiverOf(trial));
  await expectAnswers(topology, trials);
}

/** The one that the packet came to answers, whatever its own groups let out. */
async function expectAnswers(topology: Topology, trials: readonly Trial[]): Promise<void> {
  const ends = new Map(everyInterface(topology).map((end) => [end.eni.id, end]));
  const answered = trials.flatMap((trial) => {
    const [id] = receiverOf(trial);
    const receiver = ends.get(id ?? "");
    return receiver === undefined ? [] : [{ trial, receiver, label: `${trial.label}r` }];
  });
  for (const { trial, receiver, label } of answered) {
    ports.send(receiver.eni.id, answerFrame(label, sentBy(receiver, trial.from), trial.opening));
  }
  await settle(topology);
  for (const { trial, label } of answered) {
    const back = trial.verdict.stop === undefined ? [trial.from.eni.id] : [];
    expect(ports.seen(label), `the answer: ${story(trial)}`).toEqual(back);
  }
}

async function expectTraces({ vpcs }: Topology, trials: readonly Trial[]): Promise<void> {
  const byId = new Map(vpcs.map((each) => [each.id, each]));
  for (const trial of trials) {
    const { from, to, opening, verdict } = trial;
    const probe = probeOf(byId, questionOf(from, to, opening), verdict);
    const outcome = await installation.backend.trace(probe);
    if (outcome.kind !== "traced") throw new Error(outcome.why);
    expect(agree(verdict, { networkInterfaceId: from.eni.id }, outcome), story(trial)).toBe(true);
  }
}

function story({ from, to, opening, verdict }: Trial): string {
  const way = `${from.eni.id} (${formatIp(from.eni.ip)}) to ${to.eni.id} (${formatIp(to.eni.ip)})`;
  return `${way}, ${JSON.stringify(opening)}: ${verdict.stop?.code ?? "reached"}, seed ${SEED}`;
}

it(`intent, trace and packet agree, for ${INTENTS} intents`, async () => {
  const number = fc.nat({ max: 1_000_000 });
  const draws = fc.array(fc.tuple(number, number, number), { minLength: PAIRS, maxLength: PAIRS });
  const intents = fc.sample(fc.tuple(anyGuardedTopology(), draws), {
    numRuns: INTENTS,
    seed: SEED,
  });
  const verdicts = new Map<string, number>();
  for (const [topology, drawn] of intents) {
    const trials = trialsOf(topology, drawn);
    await program(topology);
    await sandbox.appctl("dpctl/flush-conntrack");
    await expectTraces(topology, trials);
    await expectPackets(topology, trials);
    ports.forget();
    for (const { verdict } of trials) {
      const code = verdict.stop?.code ?? "reached";
      verdicts.set(code, (verdicts.get(code) ?? 0) + 1);
    }
  }
  // A test of nothing but refusals would pass on a switch that drops everything.
  for (const code of ["reached", "egressPolicy", "ingressPolicy", "noRoute", "blackhole"]) {
    expect(verdicts.get(code) ?? 0, JSON.stringify([...verdicts])).toBeGreaterThan(10);
  }
});

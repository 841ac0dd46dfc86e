import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { anyTimes } from "./arbitrary.js";
import { packetOf, reversed, type Tuple } from "./interpreter/tuple.js";
import { errorAbout, Network, type Packet } from "./network.js";
import { receiver } from "./oracle.js";
import { PolicyOracle } from "./policy-oracle.js";
import { anySecurity, type Security, secured } from "./secured.js";
import type { Topology } from "./topologies.js";

/** Something that happens; numbers pick among what there is by then. */
type Step =
  | { readonly kind: "open"; readonly from: number; readonly to: number; readonly what: What }
  | {
      readonly kind: "again" | "answer" | "error" | "bad";
      readonly which: number;
      readonly by: number;
    }
  | { readonly kind: "time" | "rules" };

type What = Omit<Tuple, "source" | "target">;

const [TCP, UDP, ICMP, GRE] = [6, 17, 1, 47];

/** Few, so that connections meet again. */
const WHATS: readonly What[] = [
  { protocol: TCP, from: 5000, to: 443 },
  { protocol: TCP, from: 5000, to: 80 },
  { protocol: UDP, from: 5000, to: 53 },
  { protocol: ICMP, from: 1, to: 8 },
  { protocol: ICMP, from: 1, to: 13 },
  { protocol: ICMP, from: 1, to: 0 },
  { protocol: GRE, from: 0, to: 0 },
  { protocol: 0, from: 0, to: 0 },
];

function anyStep(): fc.Arbitrary<Step> {
  const pick = fc.nat({ max: 99 });
  const open = fc.record({
    kind: fc.constant("open" as const),
    from: pick,
    to: pick,
    what: fc.constantFrom(...WHATS),
  });
  const kind = fc.constantFrom(
    "again" as const,
    "answer" as const,
    "error" as const,
    "bad" as const,
  );
  const later = fc.record({ kind, which: fc.nat({ max: 8 }), by: pick });
  const change = fc.record({ kind: fc.constantFrom("time" as const, "rules" as const) });
  return fc.oneof(
    { weight: 3, arbitrary: open },
    { weight: 6, arbitrary: later },
    { weight: 1, arbitrary: change },
  );
}

/** What became of a packet, for the count of cases that were tried. */
type Tried = Record<"passed" | "refused", number>;

/** A network and the oracle beside it, and the packets that were sent so far, latest first. */
class History {
  readonly #times: Topology[];
  readonly #rules: Security[];
  readonly #network: Network;
  readonly #oracle = new PolicyOracle();
  readonly #sent: Tuple[] = [];
  readonly #passed: Tuple[] = [];
  readonly tried: Record<Step["kind"], Tried>;

  constructor(times: readonly Topology[], rules: readonly Security[], tried: History["tried"]) {
    [this.#times, this.#rules, this.tried] = [[...times], [...rules], tried];
    this.#network = new Network(this.#now());
  }

  take(step: Step): void {
    switch (step.kind) {
      case "time":
        this.#change(this.#times);
        break;
      case "rules":
        this.#change(this.#rules);
        break;
      case "open":
        this.#open(step.from, step.to, step.what);
        break;
      default:
        this.#goOn(step.kind, step.which, step.by);
    }
  }

  #now(): Topology {
    const [topology] = this.#times;
    const [security] = this.#rules;
    if (topology === undefined || security === undefined) throw new Error("no time like this");
    return secured(topology, security);
  }

  #change(left: unknown[]): void {
    if (left.length < 2) return;
    left.shift();
    this.#network.change(this.#now());
  }

  #open(from: number, to: number, what: What): void {
    const topology = this.#now();
    const all = topology.vpcs.flatMap(({ interfaces }) => interfaces);
    const sender = picked(all, from);
    if (sender === undefined) return;
    const { vpc } = homeOf(topology, sender.id);
    const reached = all.filter(({ id, ip }) => receiver(topology, vpc, sender, ip)?.id === id);
    const target = picked(reached.length > 0 && to % 8 > 0 ? reached : all, to >> 3);
    if (target === undefined || sender.ip.value === target.ip.value) return;
    const tuple = { ...what, source: formatIp(sender.ip), target: formatIp(target.ip) };
    this.#sent.unshift(tuple);
    if (!this.#send("open", sender.id, { fields: packetOf(tuple) })) return;
    this.#passed.unshift(tuple);
  }

  /** Whoever has the address now acts as one end of an earlier packet: also an impostor. */
  #goOn(kind: "again" | "answer" | "error" | "bad", which: number, by: number): void {
    const tuple = picked(which % 3 > 0 ? this.#passed : this.#sent, which);
    if (tuple === undefined) return;
    const sent = kind === "again" ? tuple : reversed(tuple);
    const fields = packetOf(sent);
    const able = this.#now()
      .vpcs.flatMap(({ interfaces }) => interfaces)
      .filter(({ ip }) => formatIp(ip) === sent.source);
    const sender = picked(able, by);
    if (sender === undefined) return;
    const packet = kind === "bad" ? { fields: { ...fields, bad: true } as const } : { fields };
    this.#send(kind, sender.id, kind === "error" ? errorAbout(tuple) : packet);
  }

  #send(kind: Step["kind"], id: string, packet: Packet): boolean {
    const topology = this.#now();
    const { vpc, eni } = homeOf(topology, id);
    const got = this.#network.send(vpc, eni, packet);
    const { receiver: expected, drop } = this.#oracle.judge(topology, vpc, eni, packet);
    const what = `${kind} ${JSON.stringify([id, packet])}`;
    expect(got, what).toEqual(expected === undefined ? [] : [expected.id]);
    expect(this.#network.drops, what).toEqual(drop === undefined ? [] : [drop]);
    this.tried[kind][expected === undefined ? "refused" : "passed"] += 1;
    return expected !== undefined;
  }
}

function picked<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(1, from.length)];
}

function homeOf({ vpcs }: Topology, id: string): { vpc: VpcIntent; eni: InterfaceIntent } {
  for (const vpc of vpcs) {
    const eni = vpc.interfaces.find((each) => each.id === id);
    if (eni !== undefined) return { vpc, eni };
  }
  throw new Error(`no interface ${id}`);
}

function nothingTried(): History["tried"] {
  const none = () => ({ passed: 0, refused: 0 });
  return {
    open: none(),
    again: none(),
    answer: none(),
    error: none(),
    bad: none(),
    time: none(),
    rules: none(),
  };
}

describe("security groups, whatever they say and whatever happened before", () => {
  it("let pass what both ends allow now, and answers the way that it came", () => {
    const tried = nothingTried();
    const rules = fc.array(anySecurity(), { minLength: 3, maxLength: 3 });
    const steps = fc.array(anyStep(), { minLength: 20, maxLength: 60, size: "max" });
    fc.assert(
      fc.property(anyTimes(3), rules, steps, (times, securities, taken) => {
        const history = new History(times, securities, tried);
        for (const step of taken) history.take(step);
      }),
      { numRuns: 60 },
    );
    for (const kind of ["open", "again", "answer", "error"] as const) {
      expect(Math.min(...Object.values(tried[kind])), kind).toBeGreaterThan(20);
    }
    expect(tried.bad.passed).toBe(0);
  }, 120_000);
});

import type { Probe, Trace, TraceOutcome, TraceStep } from "../../../domain/reachability/trace.js";
import { BackendError } from "../../backend.js";
import type { SwitchNames } from "../../names.js";
import type { BackendLog } from "../backend-log.js";
import type { SwitchWatch } from "../switch-watch.js";
import type { Claim } from "../topology.js";
import type { Unixctl } from "../unixctl.js";
import {
  answeringPacket,
  openingPacket,
  remember,
  resumeWith,
  type TracedPacket,
} from "./probe-text.js";
import { stagesOf } from "./stages.js";
import { ForgottenRecirculation, readTrace, type TracedPart } from "./trace-text.js";

/**
 * A packet is judged twice, once as its sender's and once as its receiver's; each time two zones may
 * be asked, and one told to remember it.
 */
const MOST_PARTS = 7;
/** A recirculation is remembered for a quarter of a second after its trace (measured). */
const ATTEMPTS = 3;

/**
 * Follows packets through the installed flows with `ofproto/trace` (ovs-vswitchd(8)).
 *
 * The trace knows the state of a connection that it is told (`--ct-next`) but not the packet that
 * opened it, which the rules ask for (`ct_nw_src` and its like). So each time that a packet comes
 * back from conntrack the trace is asked again, to go on where it was with all that is known then.
 */
export class Tracer {
  readonly #watch: SwitchWatch;
  readonly #names: SwitchNames;
  readonly #log: BackendLog;

  constructor(watch: SwitchWatch, names: SwitchNames, log: BackendLog) {
    this.#watch = watch;
    this.#names = names;
    this.#log = log;
  }

  async trace(probe: Probe): Promise<TraceOutcome> {
    try {
      const { unixctl } = await this.#watch.connections();
      return await this.#follow(unixctl, probe);
    } catch (error) {
      if (error instanceof BackendError) return untraced("the switch does not answer");
      this.#log.warn({ err: error }, "a packet could not be traced");
      return untraced("the switch could not follow the packet");
    }
  }

  async #follow(unixctl: Unixctl, probe: Probe): Promise<TraceOutcome> {
    const { from, answering } = probe;
    const { topology } = this.#watch;
    const leaves = topology.soleClaim(from.eni.id, from.vpcId);
    if (leaves?.ofport === undefined) return untraced("the sender has no port on the switch");
    const packet = openingPacket(leaves.ofport, probe);
    const there = await this.#patiently(unixctl, leaves, packet, answering?.eni.number);
    const answers = answering && topology.soleClaim(answering.eni.id, answering.vpcId);
    if (answering === undefined || answers?.ofport === undefined) {
      return { kind: "traced", there, back: undefined };
    }
    const answer = answeringPacket(answers.ofport, probe, answering);
    return { kind: "traced", there, back: await this.#patiently(unixctl, answers, answer) };
  }

  /** @param turn as `readTrace` has it */
  async #patiently(
    unixctl: Unixctl,
    { bridge }: Claim,
    packet: TracedPacket,
    turn?: number,
  ): Promise<Trace> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#understand(await parts(unixctl, bridge, packet, turn));
      } catch (error) {
        if (!(error instanceof ForgottenRecirculation) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #understand(found: readonly TracedPart[]): Trace {
    const visited = joined(found.flatMap(({ bridges }) => bridges));
    const steps = visited.map(({ name, tables }) => this.#step(name, tables));
    const delivered = this.#delivered(visited.at(-1)?.name, found.at(-1)?.output);
    const dropped = delivered === undefined ? (steps.at(-1)?.stages.at(-1) ?? "entry") : undefined;
    return { steps, dropped, delivered };
  }

  #step(bridge: string, tables: readonly number[]): TraceStep {
    if (bridge === this.#names.exchange) return { bridge, vpcId: null, stages: ["exchange"] };
    const vpcId = this.#watch.topology.bridges.get(bridge)?.vpcId ?? null;
    return { bridge, vpcId, stages: stagesOf(tables) };
  }

  #delivered(bridge: string | undefined, output: TracedPart["output"]): Trace["delivered"] {
    if (output === "IN_PORT") return "gateway";
    for (const [networkInterfaceId, claims] of this.#watch.topology.claims) {
      const isIt = claims.some((claim) => claim.bridge === bridge && claim.ofport === output);
      if (output !== undefined && isIt) return { networkInterfaceId };
    }
    return undefined;
  }
}

/** The parts of a packet's way, each ending where conntrack is asked. */
async function parts(
  unixctl: Unixctl,
  bridge: string,
  { flow, connection }: TracedPacket,
  turn: number | undefined,
): Promise<TracedPart[]> {
  const found: TracedPart[] = [];
  for (let [at, next] = [bridge, flow]; found.length < MOST_PARTS; ) {
    // Beside, for the other connection may be waiting longer than a recirculation is remembered.
    const part = readTrace(await unixctl.runBeside("ofproto/trace", [at, next]), turn);
    found.push(part);
    if (part.resumed === undefined) return found;
    at = part.bridges.at(-1)?.name ?? at;
    next = resumeWith(part.resumed, part.remembered ? remember(connection) : connection);
  }
  throw new Error("the packet asks conntrack again and again");
}

/** A bridge that a packet goes on in after conntrack is the same station. */
function joined(bridges: TracedPart["bridges"]): { name: string; tables: number[] }[] {
  const found: { name: string; tables: number[] }[] = [];
  for (const { name, tables } of bridges) {
    const last = found.at(-1);
    if (last?.name === name) last.tables.push(...tables);
    else found.push({ name, tables: [...tables] });
  }
  return found;
}

function untraced(why: string): TraceOutcome {
  return { kind: "untraced", why };
}

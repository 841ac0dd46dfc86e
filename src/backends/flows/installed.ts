import { decodeCookie, ownsCookie } from "../../openflow/cookie.js";
import type { FlowDelta } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import { flowKey } from "../../openflow/text.js";

type Index<K> = Map<K, Set<string>>;

/**
 * The flows believed to be on one bridge, foreign ones included. Indexed by peering and by port, so
 * that work on one peering of the exchange does not depend on how many others there are.
 */
export class InstalledFlows {
  readonly #flows = new Map<string, Flow>();
  readonly #byPeering: Index<number> = new Map();
  readonly #byPort: Index<string> = new Map();
  readonly #foreign = new Set<string>();
  readonly #owns: (cookie: bigint) => boolean;
  #ownCount = 0;

  constructor(mark: number, flows: Iterable<Flow> = []) {
    this.#owns = ownsCookie(mark);
    for (const flow of flows) this.add(flow);
  }

  all(): Iterable<Flow> {
    return this.#flows.values();
  }

  get(key: string): Flow | undefined {
    return this.#flows.get(key);
  }

  /** How many of them are this installation's. */
  get ownCount(): number {
    return this.#ownCount;
  }

  /** Own flows that were rendered for a peering. */
  ofPeering(peeringNumber: number): Flow[] {
    return this.#pick(this.#byPeering.get(peeringNumber));
  }

  /** Flows of somebody else. */
  foreign(): Flow[] {
    return this.#pick(this.#foreign);
  }

  /** Flows that match packets from a port, foreign ones included. */
  enteringAt(port: number): Flow[] {
    return this.#pick(this.#byPort.get(String(port)));
  }

  /** The peering that an own flow was rendered for, undefined for all other flows. */
  peeringOf(flow: Flow): number | undefined {
    if (!this.#owns(flow.cookie)) return undefined;
    const { category, object } = decodeCookie(flow.cookie);
    return category === "peering" ? object : undefined;
  }

  add(flow: Flow): void {
    const key = flowKey(flow);
    this.#removeKey(key);
    this.#flows.set(key, flow);
    if (this.#owns(flow.cookie)) this.#ownCount += 1;
    else this.#foreign.add(key);
    for (const [index, entry] of this.#entries(flow)) insert(index, entry, key);
  }

  remove(flow: Flow): void {
    this.#removeKey(flowKey(flow));
  }

  /** Follows a delta that was carried out in full. */
  follow(delta: FlowDelta): void {
    for (const flow of delta.unexpected) this.remove(flow);
    for (const { to } of delta.changed) this.add(to);
    for (const flow of delta.missing) this.add(flow);
  }

  #removeKey(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    if (this.#owns(flow.cookie)) this.#ownCount -= 1;
    else this.#foreign.delete(key);
    for (const [index, entry] of this.#entries(flow)) drop(index, entry, key);
  }

  #entries(flow: Flow): [Index<number | string>, number | string][] {
    const entries: [Index<number | string>, number | string][] = [];
    const peering = this.peeringOf(flow);
    const port = flow.match["in_port"];
    if (peering !== undefined) entries.push([this.#byPeering as Index<number | string>, peering]);
    if (typeof port === "string") entries.push([this.#byPort as Index<number | string>, port]);
    return entries;
  }

  #pick(keys: Set<string> | undefined): Flow[] {
    return [...(keys ?? [])].flatMap((key) => this.#flows.get(key) ?? []);
  }
}

function insert<K>(index: Index<K>, entry: K, key: string): void {
  const keys = index.get(entry);
  if (keys === undefined) index.set(entry, new Set([key]));
  else keys.add(key);
}

function drop<K>(index: Index<K>, entry: K, key: string): void {
  const keys = index.get(entry);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(entry);
}

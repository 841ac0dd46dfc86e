import { decodeCookie, ownsCookie } from "../../openflow/cookie.js";
import type { FlowDelta, FlowTable } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import type { Part } from "../../openflow/parts.js";
import { flowKey } from "../../openflow/text.js";

type Index<K> = Map<K, Set<string>>;

/**
 * The flows believed to be on one bridge, foreign ones included. Indexed by peering and by port, so
 * that work on one peering of the exchange does not depend on how many others there are.
 */
export class InstalledFlows implements FlowTable {
  #flows = new Map<string, Flow>();
  #byPeering: Index<number> = new Map();
  /** Made when somebody asks: nobody does but for the exchange. */
  #byPort: Index<string> | undefined;
  #foreign = new Set<string>();
  readonly #owns: (cookie: bigint) => boolean;
  #ownCount = 0;
  #revision = 0;
  #agreed: readonly Part[] | undefined;

  constructor(mark: number, flows: Iterable<Flow> = []) {
    this.#owns = ownsCookie(mark);
    for (const flow of flows) this.add(flow);
  }

  /** The parts that the bridge was last seen to agree with; undefined after a reading. */
  get agreed(): readonly Part[] | undefined {
    return this.#agreed;
  }

  /** To be called once all that differed has been carried out. */
  agreeWith(parts: readonly Part[]): void {
    if (this.#agreed === undefined) this.#shareWith(parts);
    this.#agreed = parts;
  }

  /** Keeps the flows and keys of the parts, which say the same and are kept anyway. */
  #shareWith(parts: readonly Part[]): void {
    const others = this.foreign();
    this.#flows = new Map();
    this.#byPeering = new Map();
    this.#byPort = undefined;
    this.#foreign = new Set();
    this.#ownCount = 0;
    for (const { flows } of parts) for (const { key, flow } of flows) this.#insert(key, flow);
    for (const flow of others) this.#insert(flowKey(flow), flow);
  }

  entries(): Iterable<[string, Flow]> {
    return this.#flows.entries();
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

  /** Grows with every change. */
  get revision(): number {
    return this.#revision;
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
    this.#byPort ??= portIndex(this.#flows);
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
    this.#insert(key, flow);
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

  /** Where every change begins. */
  #removeKey(key: string): void {
    this.#revision += 1;
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    if (this.#owns(flow.cookie)) this.#ownCount -= 1;
    else this.#foreign.delete(key);
    const peering = this.peeringOf(flow);
    if (peering !== undefined) drop(this.#byPeering, peering, key);
    const port = portOf(flow);
    if (port !== undefined && this.#byPort !== undefined) drop(this.#byPort, port, key);
  }

  /** There is nothing under this key. */
  #insert(key: string, flow: Flow): void {
    this.#flows.set(key, flow);
    if (this.#owns(flow.cookie)) this.#ownCount += 1;
    else this.#foreign.add(key);
    const peering = this.peeringOf(flow);
    if (peering !== undefined) insert(this.#byPeering, peering, key);
    const port = portOf(flow);
    if (port !== undefined && this.#byPort !== undefined) insert(this.#byPort, port, key);
  }

  #pick(keys: Set<string> | undefined): Flow[] {
    return [...(keys ?? [])].flatMap((key) => this.#flows.get(key) ?? []);
  }
}

function portOf(flow: Flow): string | undefined {
  const port = flow.match["in_port"];
  return typeof port === "string" ? port : undefined;
}

function portIndex(flows: ReadonlyMap<string, Flow>): Index<string> {
  const index: Index<string> = new Map();
  for (const [key, flow] of flows) {
    const port = portOf(flow);
    if (port !== undefined) insert(index, port, key);
  }
  return index;
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

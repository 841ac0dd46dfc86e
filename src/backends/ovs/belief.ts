import { createHash } from "node:crypto";
import { ownsCookie } from "../../openflow/cookie.js";
import { diffTables, type FlowDelta, isSettled } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import { parseFlows } from "../../openflow/text.js";
import { InstalledFlows } from "../flows/installed.js";

/** What was found on a bridge that is not as it was believed to be: own flows only. */
export interface Surprise {
  readonly bridge: string;
  /** `missing` and `changed.to` as they were. */
  readonly delta: FlowDelta;
}

/** Which text flows were made of, and that they are what they were then. */
interface Origin {
  readonly digest: string;
  readonly revision: number;
}

/** What is believed to be on the switch: read once, then followed by our own bundles. */
export class Belief {
  readonly #mark: number;
  readonly #bridges = new Map<string, InstalledFlows>();
  readonly #origins = new WeakMap<InstalledFlows, Origin>();
  readonly #suspects = new Set<string>();
  #surprises: Surprise[] = [];
  #epoch = 0;
  #unconfirmed = true;

  constructor(mark: number) {
    this.#mark = mark;
  }

  /** Grows whenever everything is forgotten: a plan of an earlier epoch is void. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Whether the datapath may still forward by flows that are gone. True at first: an earlier daemon
   * may have ended between its last bundle and the confirmation.
   */
  get unconfirmed(): boolean {
    return this.#unconfirmed;
  }

  /** Undefined when nothing is believed of the bridge. */
  of(bridge: string): InstalledFlows | undefined {
    return this.#bridges.get(bridge);
  }

  bridges(): Iterable<InstalledFlows> {
    return this.#bridges.values();
  }

  /**
   * Takes in what was read from a bridge, as ovs-ofctl prints it. Where it is word for word what
   * the last reading was, and nothing was done to the bridge since, all of it is known: nearly every
   * full comparison finds just that, and parsing is the dearest part of one.
   * @throws SyntaxError when a line cannot be read: no flow may pass for absent
   */
  learn(bridge: string, text: string): void {
    const digest = createHash("sha256").update(text).digest("base64");
    const believed = this.#bridges.get(bridge);
    const origin = believed && this.#origins.get(believed);
    if (origin?.digest === digest && origin.revision === believed?.revision) return;
    const flows = this.set(bridge, parseFlows(text));
    this.#origins.set(flows, { digest, revision: flows.revision });
  }

  set(bridge: string, flows: Iterable<Flow>): InstalledFlows {
    const before = this.#bridges.get(bridge);
    const now = new InstalledFlows(this.#mark, flows);
    this.#bridges.set(bridge, now);
    if (before !== undefined) this.#compare(bridge, before, now);
    return now;
  }

  /** Somebody else may have changed the flows of a bridge: what is believed of it is to be read. */
  suspect(bridge: string): void {
    this.#suspects.add(bridge);
  }

  isSuspect(bridge: string): boolean {
    return this.#suspects.has(bridge);
  }

  /** The bridge is going to be read: what raises suspicion from now on may come after that. */
  startReading(bridge: string): void {
    this.#suspects.delete(bridge);
  }

  /** What readings have found different from belief, and was not acted upon yet. */
  get surprises(): readonly Surprise[] {
    return this.#surprises;
  }

  actedUpon(surprises: readonly Surprise[]): void {
    this.#surprises = this.#surprises.filter((surprise) => !surprises.includes(surprise));
  }

  forget(bridge: string): void {
    this.#bridges.delete(bridge);
  }

  forgetAll(): void {
    this.#bridges.clear();
    this.#epoch += 1;
    this.#unconfirmed = true;
  }

  bundleSent(): void {
    this.#unconfirmed = true;
  }

  datapathConfirmed(): void {
    this.#unconfirmed = false;
  }

  #compare(bridge: string, before: InstalledFlows, now: InstalledFlows): void {
    const owns = ownsCookie(this.#mark);
    const { missing, changed, unexpected } = diffTables(before, now, owns);
    const delta = {
      missing: missing.filter(({ cookie }) => owns(cookie)),
      changed: changed.filter(({ from, to }) => owns(from.cookie) || owns(to.cookie)),
      unexpected,
      foreign: [],
    };
    if (!isSettled(delta)) this.#surprises.push({ bridge, delta });
    else if (before.agreed !== undefined) now.agreeWith(before.agreed);
  }
}

import { join } from "node:path";
import type { Scope } from "../../../domain/intent.js";
import type { FlowDelta } from "../../../openflow/delta.js";
import type { PortSettings } from "../../../openflow/wire/port-status.js";
import type { Belief } from "../belief.js";
import type { StagedChange } from "../bundle.js";
import type { FlowWriter } from "../flow-writer.js";
import type { BridgeView, Topology } from "../topology.js";
import { BridgeWatch, type Suspicion } from "./bridge-watch.js";
import { Pace } from "./pace.js";

/** Somebody who keeps changing a bridge is not to keep us from everything else. */
const LEAST_INTERVAL_MS = 100;

export interface FlowWatchOptions {
  readonly rundir: string;
  readonly exchange: string;
  readonly belief: Belief;
  readonly writer: FlowWriter;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}

interface Watched {
  /** Undefined: the exchange. */
  readonly vpcId: string | undefined;
  /** The versions of OpenFlow that the bridge was restricted to; undefined: to none. */
  readonly protocols: string | undefined;
  readonly watch: BridgeWatch;
  readonly pace: Pace;
}

/**
 * Is told by the switch of every change to the flows of our bridges. Whatever our own bundles do not
 * explain makes the bridge suspect and wakes the reconciler, which reads the bridge: what was told
 * decides nothing but that.
 */
export class FlowWatch {
  readonly #options: FlowWatchOptions;
  readonly #bridges = new Map<string, Watched>();
  #doubt: ((scope: Scope) => void) | undefined;
  #hasRefused = false;

  constructor(options: FlowWatchOptions) {
    this.#options = options;
  }

  start(doubt: (scope: Scope) => void): void {
    this.#doubt = doubt;
  }

  stop(): void {
    this.#doubt = undefined;
    for (const bridge of [...this.#bridges.keys()]) this.#forget(bridge);
  }

  /** How many bridges are being watched at present. */
  get watching(): number {
    return [...this.#bridges.values()].filter(({ watch }) => watch.isWatching).length;
  }

  /** Watches the bridges of this installation, and no others. */
  follow({ bridges }: Topology): void {
    if (this.#doubt === undefined) return;
    const own = [...bridges.values()].filter((view) => view.own);
    const wanted = new Map(own.map((view) => [view.row.name, view]));
    for (const [bridge, watched] of this.#bridges) {
      const view = wanted.get(bridge);
      if (view === undefined || !isSame(view, watched)) this.#forget(bridge);
    }
    for (const [bridge, view] of wanted) {
      if (!this.#bridges.has(bridge)) this.#add(bridge, view);
    }
  }

  /** How a port is set by OpenFlow; undefined while that is not known. */
  portSettings(bridge: string, port: number): PortSettings | undefined {
    return this.#bridges.get(bridge)?.watch.portSettings(port);
  }

  /** We have just let a port pass packets again; the switch will tell so too. */
  portFreed(bridge: string, port: number): void {
    const description = { port, noReceive: false, noForward: false };
    this.#bridges.get(bridge)?.watch.notePorts([{ kind: "set", description }]);
  }

  /** Prepares a change of our own; what the switch tells of it raises no suspicion. */
  async stage(bridge: string, delta: FlowDelta): Promise<StagedChange> {
    const staged = await this.#options.writer.stage(bridge, delta);
    return {
      commit: () => this.#commit(bridge, delta, staged),
      discard: () => staged.discard(),
    };
  }

  async #commit(bridge: string, delta: FlowDelta, staged: StagedChange): Promise<void> {
    const bundle = this.#bridges.get(bridge)?.watch.expect(delta);
    try {
      await staged.commit();
    } catch (error) {
      bundle?.failed();
      throw error;
    }
    bundle?.carriedOut();
  }

  #add(bridge: string, view: BridgeView): void {
    const { vpcId } = view;
    const { rundir, exchange, belief } = this.#options;
    const scope: Scope = bridge === exchange || vpcId === undefined ? "all" : new Set([vpcId]);
    const pace = new Pace(LEAST_INTERVAL_MS, () => this.#doubt?.(scope));
    const watch = new BridgeWatch({
      path: join(rundir, `${bridge}.mgmt`),
      isSuspect: () => belief.isSuspect(bridge),
      suspect: (why) => this.#suspect(bridge, why, pace),
      portsChanged: () => pace.wish(),
      refused: (error) => this.#noteRefusal(error),
    });
    this.#bridges.set(bridge, { vpcId, protocols: protocolsOf(view), watch, pace });
    watch.start();
  }

  #forget(bridge: string): void {
    const watched = this.#bridges.get(bridge);
    watched?.watch.stop();
    watched?.pace.stop();
    this.#bridges.delete(bridge);
  }

  /** A bridge that is suspect already is read soon: the reconciler was woken then. */
  #suspect(bridge: string, why: Suspicion, pace: Pace): void {
    const { belief, log } = this.#options;
    const isKnown = belief.isSuspect(bridge);
    belief.suspect(bridge);
    // A watch that was stopped meanwhile may have taken its wish with it.
    if (!isKnown || why.kind === "unwatched") pace.wish();
    if (isKnown || why.kind === "unwatched") return;
    log.info({ bridge, ...readable(why) }, "a change to flows is not ours; reading the bridge");
  }

  #noteRefusal(error: Error): void {
    if (this.#hasRefused) return;
    this.#hasRefused = true;
    const consequence = "changes to flows are found by the resync only";
    this.#options.log.warn({ err: error }, `the switch does not tell of changes; ${consequence}`);
  }
}

/** A bridge that speaks other versions from now on ends its connections: they are opened anew. */
function isSame(view: BridgeView, { vpcId, protocols }: Watched): boolean {
  return view.vpcId === vpcId && protocolsOf(view) === protocols;
}

function protocolsOf({ row }: BridgeView): string | undefined {
  return row.settings.get("protocols");
}

function readable(why: Suspicion): object {
  return "cookie" in why ? { ...why, cookie: `0x${why.cookie.toString(16)}` } : why;
}

import type { FlowDelta } from "../../../openflow/delta.js";
import type { FlowUpdate } from "../../../openflow/wire/flow-updates.js";
import type { PortSettings, PortUpdate } from "../../../openflow/wire/port-status.js";
import { Link } from "../link.js";
import { PortTable } from "../ports/port-table.js";
import { FlowMonitor, MonitorRefused } from "./flow-monitor.js";
import { type Account, Ledger } from "./ledger.js";

/** After a refusal nothing is asked for a while: the same switch would refuse again. */
const REFUSAL_HOLDS_MS = 60_000;

/** Why somebody else may have changed the flows of a bridge. */
export type Suspicion = FlowUpdate | { readonly kind: "unwatched" | "miscounted" };

export interface BridgeWatchOptions {
  /** The bridge's management socket. */
  readonly path: string;
  /** Whether the bridge is going to be read anyway. */
  isSuspect(): boolean;
  suspect(why: Suspicion): void;
  /** A port was set to stop packets, or to let them pass again. */
  portsChanged(): void;
  refused(error: MonitorRefused): void;
}

/** A bundle that has been sent, until its success or failure is known. */
export interface SentBundle {
  carriedOut(): void;
  failed(): void;
}

/** One connection and its own count of what is still to be told through it. */
interface Watching {
  readonly monitor: FlowMonitor;
  readonly ledger: Ledger;
}

/** Watches the flows and ports of one bridge, for as long as there is a connection to it. */
export class BridgeWatch {
  readonly #options: BridgeWatchOptions;
  readonly #link: Link<FlowMonitor>;
  readonly #ports = new PortTable();
  #watching: Watching | undefined;
  #refusedUntil = 0;

  constructor(options: BridgeWatchOptions) {
    this.#options = options;
    this.#link = new Link({
      open: (lost) => this.#open(lost),
      up: (monitor) => this.#up(monitor),
      down: () => {
        this.#watching = undefined;
        this.#ports.clear();
      },
    });
  }

  get isWatching(): boolean {
    return this.#watching !== undefined;
  }

  /** How a port is set by OpenFlow; undefined while that is not known. */
  portSettings(port: number): PortSettings | undefined {
    return this.#ports.of(port);
  }

  /** Takes down what a change of our own has done to a port, which the switch has yet to tell. */
  notePorts(updates: readonly PortUpdate[]): void {
    this.#ports.apply(updates);
  }

  start(): void {
    this.#link.start();
  }

  stop(): void {
    this.#link.stop();
    this.#watching = undefined;
  }

  /** Call it before the bundle is sent. */
  expect(delta: FlowDelta): SentBundle | undefined {
    const watching = this.#watching;
    if (watching === undefined) return undefined;
    const account = watching.ledger.open(delta, this.#options.isSuspect());
    return {
      carriedOut: () => watching.monitor.barrier(() => this.#close(watching, account)),
      failed: () => {
        account.trusted = false;
        this.#close(watching, account);
      },
    };
  }

  #close(watching: Watching, account: Account): void {
    // What a lost connection would have told is read when there is another one.
    const right = watching.ledger.close(account);
    if (!right && this.#watching === watching) this.#options.suspect({ kind: "miscounted" });
  }

  /** Whatever was changed while nobody was told is still to be found. */
  #up(monitor: FlowMonitor): void {
    this.#watching = { monitor, ledger: new Ledger() };
    this.#options.suspect({ kind: "unwatched" });
  }

  async #open(lost: (error: Error) => void): Promise<FlowMonitor> {
    if (performance.now() < this.#refusedUntil) throw new Error("refused a moment ago");
    const updates = (told: readonly FlowUpdate[]) => this.#told(told);
    const ports = (told: readonly PortUpdate[]) => this.#toldOfPorts(told);
    this.#ports.clear();
    try {
      return await FlowMonitor.open(this.#options.path, { updates, ports, lost });
    } catch (error) {
      if (error instanceof MonitorRefused) {
        this.#refusedUntil = performance.now() + REFUSAL_HOLDS_MS;
        this.#options.refused(error);
      }
      throw error;
    }
  }

  #toldOfPorts(updates: readonly PortUpdate[]): void {
    if (this.#ports.apply(updates)) this.#options.portsChanged();
  }

  #told(updates: readonly FlowUpdate[]): void {
    // Before the link is up everything is suspect anyway.
    const ledger = this.#watching?.ledger;
    if (ledger === undefined) return;
    const [stranger] = updates.filter((update) => !ledger.explains(update));
    if (stranger !== undefined) this.#options.suspect(stranger);
  }
}

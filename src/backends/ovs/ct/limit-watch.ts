import { BackendError } from "../../backend.js";
import type { BackendLog } from "../backend-log.js";
import type { Belief } from "../belief.js";
import type { Conntrack } from "../conntrack.js";
import type { SwitchWatch } from "../switch-watch.js";
import { HostTable } from "./host-table.js";
import { type LimitReading, readLimits } from "./limit-reading.js";

const POLL_MS = 1000;

export interface LimitWatchOptions {
  readonly watch: Pick<SwitchWatch, "connections" | "topology">;
  readonly belief: Pick<Belief, "epoch">;
  readonly conntrack: Conntrack;
  readonly log: BackendLog;
  /** Time between readings; for tests. */
  readonly pollMs?: number;
}

/** @param zones whose limit somebody has changed; "host" when its room was used up, or is there again */
type Changed = (zones: readonly number[] | "host") => void;

/**
 * Looks about once a second at the limits of conntrack's zones, which nothing tells of, while
 * interfaces are plugged in. One command reads them all.
 */
export class LimitWatch {
  readonly #options: LimitWatchOptions;
  readonly #table: HostTable;
  #changed: Changed = () => {};
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #underWay: Promise<LimitReading> | undefined;
  #latest: LimitReading | undefined;
  #toldOfTrouble = false;

  constructor(options: LimitWatchOptions) {
    this.#options = options;
    this.#table = new HostTable(options.log, () => this.#changed("host"));
  }

  /** Undefined while the host has room for connections, as far as is known. */
  get hostTrouble() {
    return this.#table.full;
  }

  /** What was read last; undefined before that. */
  get latest(): LimitReading | undefined {
    return this.#latest;
  }

  start(changed: Changed): void {
    this.#changed = changed;
    this.#running = true;
    this.#schedule();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /**
   * Reads now, or waits for a reading that is under way.
   * @throws BackendError when the switch is away, RpcError when the datapath knows no limits, Error
   *   when the switch does not answer
   */
  read(): Promise<LimitReading> {
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Reads now if there is anything to read; what goes wrong is told in the log, once. */
  async look(): Promise<void> {
    if (this.#options.watch.topology.ownZones().length === 0) return;
    try {
      await this.read();
      this.#toldOfTrouble = false;
    } catch (error) {
      // Whoever watches the switch says that it is away.
      if (!this.#toldOfTrouble && !(error instanceof BackendError)) {
        const { log } = this.#options;
        log.warn({ err: error }, "limits of connections cannot be read, nor be looked after");
        this.#toldOfTrouble = true;
      }
    }
  }

  #schedule(): void {
    const tick = async () => {
      await this.look();
      if (this.#running) this.#schedule();
    };
    this.#timer = setTimeout(() => void tick(), this.#options.pollMs ?? POLL_MS).unref();
  }

  /** On the connection by which limits are set: what is read is never older than what was set. */
  async #read(): Promise<LimitReading> {
    const { watch, belief, conntrack } = this.#options;
    const { epoch } = belief;
    const { unixctl } = await watch.connections();
    const { datapath } = conntrack;
    const reading = await readLimits(unixctl, datapath, watch.topology.ownZones());
    this.#latest = reading;
    if (belief.epoch === epoch) {
      const changed = conntrack.compare(reading, watch.topology.ownZones(), epoch);
      if (changed.length > 0) this.#changed(changed);
    }
    if (datapath.startsWith("netdev@")) await this.#table.read(unixctl, datapath);
    return reading;
  }
}

import type { BackendLog } from "./backend-log.js";
import type { LimitReading } from "./ct/limit-reading.js";
import type { FenceCheck } from "./fence/fence.js";
import { RpcError } from "./json-rpc.js";
import type { Topology } from "./topology.js";
import type { Unixctl } from "./unixctl.js";

/** A command has room for many zones; this many keep it short. */
const ZONES_AT_ONCE = 500;

export interface ConntrackOptions {
  readonly datapath: "system" | "netdev";
  /** Most connections that one zone may hold. */
  readonly connectionsPerZone: number;
  readonly fence: FenceCheck;
  readonly log: BackendLog;
}

/** The connections that the datapath remembers, by zone (ovs-vswitchd(8), dpctl commands). */
export class Conntrack {
  readonly #options: ConntrackOptions;
  readonly #datapath: string;
  /** Since when the limits that were set are known to be in force. */
  #epoch = -1;
  /** Zones that have a limit, and maybe connections. */
  readonly #prepared = new Set<number>();
  /** A set of zones in use that held all of the prepared ones. */
  #complete: ReadonlySet<number> | undefined;
  /** A set of zones in use whose own ones had limits. */
  #limited: ReadonlySet<number> | undefined;
  /** Limits that are not what was set: what was found, null for none. */
  readonly #wrong = new Map<number, number | null>();

  constructor(options: ConntrackOptions) {
    this.#options = options;
    this.#datapath = `${options.datapath}@ovs-${options.datapath}`;
  }

  get connectionsPerZone(): number {
    return this.#options.connectionsPerZone;
  }

  /** As dpctl commands name it. */
  get datapath(): string {
    return this.#datapath;
  }

  get wrong(): ReadonlyMap<number, number | null> {
    return this.#wrong;
  }

  /**
   * Notes whose limit is not what was set.
   * @param zones those that are in use
   * @param epoch of the belief at the reading
   * @returns zones whose limit has become another since the last reading
   */
  compare(reading: LimitReading, zones: readonly number[], epoch: number): number[] {
    if (epoch !== this.#epoch) return [];
    return zones.filter((zone) => {
      if (!this.#prepared.has(zone)) return false;
      const found = reading.get(zone)?.limit ?? null;
      const before = this.#wrong.get(zone);
      if (found === this.#options.connectionsPerZone) this.#wrong.delete(zone);
      else this.#wrong.set(zone, found);
      return this.#wrong.has(zone) && before !== found;
    });
  }

  /** Makes zones ready for new owners: nothing of the old ones is remembered. */
  async prepare(unixctl: Unixctl, zones: readonly number[]): Promise<void> {
    for (const zone of zones) await this.#flush(unixctl, zone);
    await this.#limit(unixctl, zones);
  }

  /** Open vSwitch 3.1 takes no datapath here; it must be named where there are several. */
  async #flush(unixctl: Unixctl, zone: number): Promise<void> {
    this.#options.fence.check();
    try {
      await unixctl.run("dpctl/flush-conntrack", [`zone=${zone}`]);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#options.fence.check();
      await unixctl.run("dpctl/flush-conntrack", [this.#datapath, `zone=${zone}`]);
    }
  }

  /**
   * Sets the limits of zones that have none: of all after a restart of ovs-vswitchd, which they do
   * not outlive, of one that a port has brought along, and of those that somebody has changed.
   * Connections that were open while a zone had no limit do not count in it on the userspace
   * datapath, and only emptying the zone would change that.
   * @param epoch of the belief: what was done in the same one still holds
   */
  async renewLimits(
    unixctl: Unixctl,
    topology: Pick<Topology, "zones" | "ownZones">,
    epoch: number,
  ): Promise<void> {
    const isSame = epoch === this.#epoch && topology.zones === this.#limited;
    if (isSame && this.#wrong.size === 0) return;
    if (epoch !== this.#epoch) this.#forget();
    const zones = topology
      .ownZones()
      .filter((zone) => !this.#prepared.has(zone) || this.#wrong.has(zone));
    await this.#limit(unixctl, zones);
    this.#epoch = epoch;
    this.#limited = topology.zones;
  }

  #forget(): void {
    this.#prepared.clear();
    this.#wrong.clear();
  }

  /** Zones that were prepared, and are not among those in use. */
  abandoned(inUse: ReadonlySet<number>): number[] {
    if (this.#complete === inUse) return [];
    const abandoned = [...this.#prepared].filter((zone) => !inUse.has(zone));
    if (abandoned.length === 0) this.#complete = inUse;
    return abandoned;
  }

  /**
   * Forgets zones that no flow names any more: connections and limits.
   * @param isTaken whether somebody uses a zone by now, another installation perhaps
   */
  async retire(
    unixctl: Unixctl,
    zones: readonly number[],
    isTaken: (zone: number) => boolean,
  ): Promise<void> {
    for (const zone of zones) {
      if (isTaken(zone)) continue;
      await this.#flush(unixctl, zone);
      if (isTaken(zone)) continue;
      await this.#tryLimits(unixctl, "dpctl/ct-del-limits", [`zone=${zone}`]);
      this.#prepared.delete(zone);
      this.#wrong.delete(zone);
    }
  }

  async #limit(unixctl: Unixctl, zones: readonly number[]): Promise<void> {
    for (let from = 0; from < zones.length; from += ZONES_AT_ONCE) {
      await this.#limitSome(unixctl, zones.slice(from, from + ZONES_AT_ONCE));
    }
  }

  /**
   * Keeps one interface from using up what the host can remember. Never `default=…`: that would
   * also hold for the zones of others. A datapath that knows no limits works without.
   */
  async #limitSome(unixctl: Unixctl, zones: readonly number[]): Promise<void> {
    const { connectionsPerZone } = this.#options;
    const limits = zones.map((zone) => `zone=${zone},limit=${connectionsPerZone}`);
    const isSet = await this.#tryLimits(unixctl, "dpctl/ct-set-limits", limits);
    for (const zone of zones) {
      this.#prepared.add(zone);
      if (isSet) this.#wrong.delete(zone);
    }
    this.#complete = undefined;
  }

  /** @returns whether the datapath has taken it */
  async #tryLimits(unixctl: Unixctl, command: string, limits: readonly string[]): Promise<boolean> {
    this.#options.fence.check();
    try {
      await unixctl.run(command, [this.#datapath, ...limits]);
      return true;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const details = { err: error, command, zones: limits.length };
      this.#options.log.warn(details, "interfaces have no limit of connections");
      return false;
    }
  }
}

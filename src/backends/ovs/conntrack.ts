import { RpcError } from "./json-rpc.js";
import type { BackendLog } from "./switch-watch.js";
import type { Topology } from "./topology.js";
import type { Unixctl } from "./unixctl.js";

/** A command has room for many zones; this many keep it short. */
const ZONES_AT_ONCE = 500;

export interface ConntrackOptions {
  readonly datapath: "system" | "netdev";
  /** Most connections that one zone may hold. */
  readonly connectionsPerZone: number;
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

  constructor(options: ConntrackOptions) {
    this.#options = options;
    this.#datapath = `${options.datapath}@ovs-${options.datapath}`;
  }

  /** Makes zones ready for new owners: nothing of the old ones is remembered. */
  async prepare(unixctl: Unixctl, zones: readonly number[]): Promise<void> {
    for (const zone of zones) await this.#flush(unixctl, zone);
    await this.#limit(unixctl, zones);
  }

  /** Open vSwitch 3.1 takes no datapath here; it must be named where there are several. */
  async #flush(unixctl: Unixctl, zone: number): Promise<void> {
    try {
      await unixctl.run("dpctl/flush-conntrack", [`zone=${zone}`]);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      await unixctl.run("dpctl/flush-conntrack", [this.#datapath, `zone=${zone}`]);
    }
  }

  /**
   * Sets the limits of zones that have none: of all after a restart of ovs-vswitchd, which they do
   * not outlive, and of one that a port has brought along.
   * @param epoch of the belief: what was done in the same one still holds
   */
  async renewLimits(
    unixctl: Unixctl,
    topology: Pick<Topology, "zones" | "ownZones">,
    epoch: number,
  ): Promise<void> {
    if (epoch === this.#epoch && topology.zones === this.#limited) return;
    if (epoch !== this.#epoch) this.#prepared.clear();
    const zones = topology.ownZones().filter((zone) => !this.#prepared.has(zone));
    await this.#limit(unixctl, zones);
    this.#epoch = epoch;
    this.#limited = topology.zones;
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
    await this.#tryLimits(unixctl, "dpctl/ct-set-limits", limits);
    for (const zone of zones) this.#prepared.add(zone);
    this.#complete = undefined;
  }

  async #tryLimits(unixctl: Unixctl, command: string, limits: readonly string[]): Promise<void> {
    try {
      await unixctl.run(command, [this.#datapath, ...limits]);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const details = { err: error, command, zones: limits.length };
      this.#options.log.warn(details, "interfaces have no limit of connections");
    }
  }
}

import type {
  ConnectionUse,
  FullInterfaces,
  InterfaceConnections,
} from "../../../domain/connections.js";
import type { SettingDrift } from "../../../domain/data-plane.js";
import type { Scope } from "../../../domain/intent.js";
import { BackendError } from "../../backend.js";
import type { Conntrack } from "../conntrack.js";
import { hasBoth, type ZoneSide } from "../ct-zone.js";
import type { InterfaceHomes } from "../interface-homes.js";
import { UNSET } from "../settings/compare.js";
import type { SwitchWatch } from "../switch-watch.js";
import type { LimitWatch } from "./limit-watch.js";
import { type SettingChange, SettingNews, scopeOfChanges } from "./setting-news.js";
import { type ZoneTimeouts, zoneObject } from "./zone-timeouts.js";

export interface ConntrackSettingsParts {
  readonly watch: Pick<SwitchWatch, "topology" | "replica">;
  readonly conntrack: Conntrack;
  readonly limits: LimitWatch;
  readonly timeouts: ZoneTimeouts;
  readonly homes: InterfaceHomes;
  readonly exchange: string;
}

/**
 * What is set of the switch's conntrack: limits, which are polled, and time-outs, of which the
 * database tells. Says what somebody has changed; putting it right is part of every pass.
 */
export class ConntrackSettings {
  readonly #parts: ConntrackSettingsParts;
  readonly #news = new SettingNews();
  #doubt: (scope: Scope) => void = () => {};

  constructor(parts: ConntrackSettingsParts) {
    this.#parts = parts;
  }

  start(doubt: (scope: Scope) => void): void {
    this.#doubt = doubt;
    this.#parts.limits.start((zones) => {
      if (zones === "host") this.#doubt("all");
      else this.#limitsChanged(zones);
    });
  }

  stop(): void {
    this.#doubt = () => {};
    this.#parts.limits.stop();
  }

  /** To be called whenever the database or the topology has changed. */
  databaseChanged(): void {
    const { watch, timeouts } = this.#parts;
    this.#tell(timeouts.check(watch.replica, watch.topology.zoneHolders()));
  }

  /** Reads what only a reading shows. */
  refresh(): Promise<void> {
    return this.#parts.limits.look();
  }

  /** By VPC what is not as it is wanted; under null what concerns all. */
  wrong(): Map<string | null, SettingDrift[]> {
    const { watch, timeouts, limits, conntrack } = this.#parts;
    const holders = watch.topology.zoneHolders();
    const changes = [
      ...this.#wrongLimits([...conntrack.wrong.keys()]),
      ...timeouts.wrong(watch.replica, holders),
    ];
    const byVpc = new Map<string | null, SettingDrift[]>();
    const note = (vpcId: string | null, drift: SettingDrift) => {
      byVpc.set(vpcId, [...(byVpc.get(vpcId) ?? []), drift]);
    };
    for (const { vpcId, drift } of changes) note(vpcId, drift);
    if (limits.hostTrouble !== undefined) note(null, limits.hostTrouble);
    return byVpc;
  }

  /** What somebody has changed and nobody was told of yet. */
  news(scope: Scope): SettingChange[] {
    return this.#news.within(scope);
  }

  told(changes: readonly SettingChange[]): void {
    this.#news.told(changes);
  }

  /**
   * Null while the interface has no limits: it is not plugged in, or not programmed yet, or the
   * datapath knows none.
   * @throws BackendError when the switch cannot be read
   */
  async connections(networkInterfaceId: string): Promise<InterfaceConnections | null> {
    const { homes, watch, limits } = this.#parts;
    const home = homes.withId(networkInterfaceId);
    const zones = home && watch.topology.soleClaim(home.id, home.vpcId)?.zones;
    if (zones === undefined || !hasBoth(zones)) return null;
    const reading = await limits.read().catch((error: unknown) => {
      if (error instanceof BackendError) throw error;
      throw new BackendError("the switch did not tell its connections", { cause: error });
    });
    const [caller, called] = [reading.get(zones.caller), reading.get(zones.called)];
    if (caller === undefined || called === undefined) return null;
    return limits.hostTrouble === undefined
      ? { caller, called }
      : { caller: withoutRoom(caller), called: withoutRoom(called) };
  }

  /** As last read; null before that. */
  fullInterfaces(): FullInterfaces | null {
    const { watch, limits } = this.#parts;
    const { latest } = limits;
    if (latest === undefined) return null;
    const full: Record<ZoneSide, number> = { caller: 0, called: 0 };
    for (const { zone, side } of watch.topology.zoneHolders()) {
      const { count, limit } = latest.get(zone) ?? { count: 0, limit: 1 };
      if (count >= limit || limits.hostTrouble !== undefined) full[side] += 1;
    }
    return full;
  }

  #limitsChanged(zones: readonly number[]): void {
    this.#tell(this.#wrongLimits(zones));
  }

  #wrongLimits(zones: readonly number[]): SettingChange[] {
    const { watch, conntrack, exchange } = this.#parts;
    const holders = new Map(watch.topology.zoneHolders().map((holder) => [holder.zone, holder]));
    const wanted = String(conntrack.connectionsPerZone);
    return zones.flatMap((zone) => {
      const holder = holders.get(zone);
      const limit = conntrack.wrong.get(zone);
      if (holder === undefined || limit === undefined) return [];
      const found = limit === null ? UNSET : String(limit);
      const drift = { object: zoneObject(holder), setting: "limit", found, wanted };
      const { vpcId = null, bridge } = holder;
      return [{ bridge: vpcId === null ? exchange : bridge, vpcId, drift }];
    });
  }

  #tell(changes: readonly SettingChange[]): void {
    if (changes.length === 0) return;
    this.#news.add(changes);
    this.#doubt(scopeOfChanges(changes));
  }
}

/** Where the host has no room left, an interface may have no more than it has. */
function withoutRoom({ count, limit }: ConnectionUse): ConnectionUse {
  return { count, limit: Math.min(count, limit) };
}

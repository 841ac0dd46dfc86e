import type { SettingDrift } from "../../../domain/data-plane.js";
import type { BackendLog } from "../backend-log.js";
import type { Operation } from "../ovsdb.js";
import type { Replica } from "../replica.js";
import { UNSET } from "../settings/compare.js";
import type { ZoneHolder } from "../topology.js";
import type { SettingChange } from "./setting-news.js";
import {
  isSame,
  type TimeoutOptions,
  type TimeoutView,
  timeoutOperations,
  viewTimeouts,
  wantedTimeouts,
  zonesAstray,
  zonesOfOthers,
} from "./timeouts.js";

export interface ZoneTimeoutsOptions extends TimeoutOptions {
  readonly exchange: string;
  readonly log: BackendLog;
}

/** One thing that is not as it is wanted, under a name by which it is known again. */
interface Finding {
  readonly key: string;
  readonly change: SettingChange;
}

const POLICY = "policy";
const SETTING = "time-outs";

/** Keeps the time-outs of conntrack's zones in the database. */
export class ZoneTimeouts {
  readonly #options: ZoneTimeoutsOptions;
  /** What was seen to be right; of another connection to the database nothing is known. */
  #right = new Set<string>();
  #replica: Replica | undefined;
  #toldOfLack = false;

  constructor(options: ZoneTimeoutsOptions) {
    this.#options = options;
  }

  /** What has to be written so that these zones, all that there are of ours, have our time-outs. */
  operations(replica: Replica, zones: readonly number[]): Operation[] {
    if (!replica.knowsConntrackZones) return [];
    return timeoutOperations(viewTimeouts(replica, this.#options), zones, this.#options);
  }

  /** Zones of others that are known by nothing but their time-outs. */
  zonesOfOthers(replica: Replica): number[] {
    return zonesOfOthers(viewTimeouts(replica, this.#options));
  }

  /** @returns what was right when it was looked at last, and is no longer */
  check(replica: Replica, holders: readonly ZoneHolder[]): SettingChange[] {
    if (replica !== this.#replica) this.#right.clear();
    this.#replica = replica;
    this.#tellOfLack(replica);
    const findings = this.#findings(replica, holders);
    const wrong = new Set(findings.map(({ key }) => key));
    const news = findings.filter(({ key }) => this.#right.has(key));
    const known = [POLICY, ...holders.map(({ zone }) => keyOf(zone))];
    this.#right = new Set(known.filter((key) => !wrong.has(key)));
    return news.map(({ change }) => change);
  }

  /** All that is not as it is wanted now. */
  wrong(replica: Replica, holders: readonly ZoneHolder[]): SettingChange[] {
    const lack = this.#lack(replica);
    if (lack === undefined) return this.#findings(replica, holders).map(({ change }) => change);
    return holders.length === 0 ? [] : [this.#onExchange(lack)];
  }

  #findings(replica: Replica, holders: readonly ZoneHolder[]): Finding[] {
    if (!replica.knowsConntrackZones || holders.length === 0) return [];
    const view = viewTimeouts(replica, this.#options);
    const astray = new Set(
      zonesAstray(
        view,
        holders.map(({ zone }) => zone),
      ),
    );
    const wanted = this.#wantedText();
    const zones = holders.flatMap((holder): Finding[] => {
      const { zone, bridge, vpcId = null } = holder;
      if (!astray.has(zone)) return [];
      const found = timeoutsOf(replica, view, zone) ?? UNSET;
      const drift = { object: zoneObject(holder), setting: SETTING, found, wanted };
      return [{ key: keyOf(zone), change: { bridge, vpcId, drift } }];
    });
    return [...this.#policyFindings(view), ...zones];
  }

  #policyFindings(view: TimeoutView): Finding[] {
    const { zoneRow, policy, timeouts } = view;
    const isRight =
      policy !== undefined && isSame(timeouts, wantedTimeouts(this.#options.timeouts));
    // Where there is no row at all, every zone says so.
    if (isRight || zoneRow === undefined) return [];
    const found = policy === undefined ? UNSET : textOf(timeouts);
    const object = "conntrack policy of all interfaces";
    const drift = { object, setting: SETTING, found, wanted: this.#wantedText() };
    return [{ key: POLICY, change: this.#onExchange(drift) }];
  }

  #onExchange(drift: SettingDrift): SettingChange {
    return { bridge: this.#options.exchange, vpcId: null, drift };
  }

  #wantedText(): string {
    return textOf(wantedTimeouts(this.#options.timeouts));
  }

  /** Why time-outs cannot be had: an older Open vSwitch, or a kernel without them. */
  #lack(replica: Replica): SettingDrift | undefined {
    const { datapath } = viewTimeouts(replica, this.#options);
    const isUnable = datapath?.capabilities.get("ct_timeout") === "false";
    if (replica.knowsConntrackZones && !isUnable) return undefined;
    const object = `datapath ${this.#options.datapath}`;
    return { object, setting: `conntrack ${SETTING}`, found: "not supported", wanted: null };
  }

  #tellOfLack(replica: Replica): void {
    const lack = this.#lack(replica);
    if (lack !== undefined && !this.#toldOfLack) {
      this.#options.log.warn(
        lack,
        "connections have the switch's own time-outs: it knows no others",
      );
    }
    this.#toldOfLack = lack !== undefined;
  }
}

export function zoneObject({ zone, networkInterfaceId, side }: ZoneHolder): string {
  return `conntrack zone ${zone} (${networkInterfaceId}, ${side})`;
}

function keyOf(zone: number): string {
  return `zone ${zone}`;
}

/** The time-outs that somebody else has given a zone; null when it has none. */
function timeoutsOf(replica: Replica, { datapath }: TimeoutView, zone: number): string | null {
  const row = replica.ctZones.get(datapath?.zones.get(zone) ?? "");
  const policy = replica.timeoutPolicies.get(row?.timeoutPolicy ?? "");
  return policy === undefined ? null : textOf(policy.timeouts);
}

function textOf(timeouts: ReadonlyMap<string, string>): string {
  const kinds = [...timeouts].map(([kind, seconds]) => `${kind}=${seconds}`);
  return kinds.sort().join(" ");
}

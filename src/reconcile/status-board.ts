import type { BridgeDrift, Outcome, PlannedBridge } from "../backends/backend.js";
import type {
  BackendKind,
  BridgeStatus,
  DataPlaneStatus,
  SettingDrift,
} from "../domain/data-plane.js";
import type { IntentSlice } from "../domain/intent.js";

interface VpcRecord {
  bridge: string;
  generation: number;
  observedGeneration: number;
  driftCount: number;
  error: string | undefined;
  lastResync: Date | undefined;
  settings: readonly SettingDrift[];
  /** That its flows could not be compared. */
  unread: boolean;
}

const EXCHANGE = "exchange";

const SWITCH_TROUBLE = "the switch cannot be reached or takes no changes; it is tried again";
const BRIDGE_TROUBLE = "the switch has not followed on one of the bridges; it is tried again";

/** How far the switch has followed intent, per VPC and for the exchange. Rebuilt at every start. */
export class StatusBoard {
  readonly #records = new Map<string, VpcRecord>();
  readonly #bridgeName: (vpcNumber: number) => string;
  readonly #exchangeName: () => string;
  /** Bridges of VPCs that are gone, as long as they cannot be removed. */
  readonly #leftOver = new Map<string, PlannedBridge & { readonly error: string }>();
  /** The VPCs themselves. */
  readonly #notRemoved = new Set<string>();
  #switchError: string | undefined;
  #sharedError: string | undefined;

  constructor(names: {
    bridgeName(vpcNumber: number): string;
    exchangeName(): string;
  }) {
    this.#bridgeName = (number) => names.bridgeName(number);
    this.#exchangeName = () => names.exchangeName();
  }

  /**
   * Status of something in these VPCs that last changed at `generation`.
   * @param outage why nothing new passes whatever the switch has followed
   */
  status(
    kind: BackendKind,
    vpcIds: readonly string[],
    generation: number,
    outage?: string,
  ): DataPlaneStatus {
    const records = vpcIds.map((id) => this.#records.get(id));
    const observed = records.map((record) => record?.observedGeneration ?? 0);
    const observedGeneration = Math.min(generation, ...observed);
    return judge(kind, outage ?? this.#trouble(records), { generation, observedGeneration });
  }

  /** Whether the VPC has been made on the switch, whatever of it has changed since. */
  isMade(vpcId: string): boolean {
    return (this.#records.get(vpcId)?.observedGeneration ?? 0) > 0;
  }

  /** Status of the end of a VPC that intent has not had any more since `generation`. */
  removal(kind: BackendKind, vpcId: string, generation: number, outage?: string): DataPlaneStatus {
    const isThere = this.#records.has(vpcId) || this.#notRemoved.has(vpcId);
    // The exchange is looked at in every pass: what has no record by then was never made.
    const looked = this.#records.get(EXCHANGE)?.observedGeneration ?? 0;
    const observedGeneration = isThere ? 0 : Math.min(generation, looked);
    const trouble = this.#notRemoved.has(vpcId) ? BRIDGE_TROUBLE : this.#trouble([]);
    return judge(kind, outage ?? trouble, { generation, observedGeneration });
  }

  /**
   * What anybody may know. The reasons themselves tell of the host, and of VPCs that are not the
   * reader's: they are the operator's, in `bridges`.
   */
  #trouble(records: ReadonlyArray<VpcRecord | undefined>): string | undefined {
    if (this.#switchError !== undefined) return this.#sharedError ?? SWITCH_TROUBLE;
    const exchange = this.#records.get(EXCHANGE);
    const failing = [...records, exchange].some((record) => record?.error !== undefined);
    return failing ? BRIDGE_TROUBLE : undefined;
  }

  /**
   * The switch as a whole cannot be worked with.
   * @param shareable whether the message tells nothing of the host that tenants should not know
   */
  switchFailed(message: string, shareable = false): void {
    this.#switchError = message;
    this.#sharedError = shareable ? message : undefined;
  }

  /** Counts the flows and settings that were found otherwise than we had left them. */
  recordDrift(drift: readonly BridgeDrift[]): number {
    if (drift.length === 0) return 0;
    const records = new Map([...this.#records.values()].map((record) => [record.bridge, record]));
    let total = 0;
    for (const { bridge, deleted, altered, added, settings } of drift) {
      const count = deleted.length + altered.length + added.length + settings.length;
      const record = records.get(bridge);
      if (record !== undefined) record.driftCount += count;
      total += count;
    }
    return total;
  }

  recordOutcome(intent: IntentSlice, outcome: Outcome, resyncedAt: Date | undefined): void {
    this.#switchError = undefined;
    this.#forgetGone(intent, outcome);
    for (const vpc of intent.vpcs.values()) {
      const record = this.#ensure(vpc.id, this.#bridgeName(vpc.number));
      const error = outcome.failedVpcs.get(vpc.id);
      this.#note(record, vpc.generation, error, resyncedAt);
    }
    const exchange = this.#ensure(EXCHANGE, this.#exchangeName());
    this.#note(exchange, intent.generation, outcome.exchangeError, resyncedAt);
    if (intent.scope === "all") this.#leftOver.clear();
    for (const each of outcome.bridges) this.#noteBridge(each);
  }

  #noteBridge(found: PlannedBridge): void {
    const { bridge, vpcId, settings, error, unread = false } = found;
    const record = this.#records.get(bridge === this.#exchangeName() ? EXCHANGE : (vpcId ?? ""));
    if (record !== undefined) {
      record.settings = settings.filter(({ wanted }) => wanted === null || error !== null);
      record.unread = unread;
    } else if (error === null) this.#leftOver.delete(bridge);
    else this.#leftOver.set(bridge, { ...NOTHING, bridge, vpcId, settings, error, unread });
  }

  /** How many bridges could not be looked at when they were to be. */
  get unread(): number {
    const all = [...this.#records.values(), ...this.#leftOver.values()];
    return this.#switchError === undefined ? all.filter((each) => each.unread).length : all.length;
  }

  bridges(flowCounts: ReadonlyMap<string, number>, outage?: string): BridgeStatus[] {
    const known = [...this.#records].map(([key, record]) => ({
      bridge: record.bridge,
      vpcId: key === EXCHANGE ? null : key,
      generation: record.generation,
      observedGeneration: record.observedGeneration,
      flowCount: flowCounts.get(record.bridge) ?? 0,
      driftCount: record.driftCount,
      lastError: this.#switchError ?? outage ?? record.error ?? null,
      lastResync: record.lastResync?.toISOString() ?? null,
      settings: record.settings,
    }));
    const leftOver = [...this.#leftOver.values()].map(({ bridge, settings, error }) => ({
      bridge,
      vpcId: null,
      generation: 0,
      observedGeneration: 0,
      flowCount: flowCounts.get(bridge) ?? 0,
      driftCount: 0,
      lastError: this.#switchError ?? error,
      lastResync: null,
      settings,
    }));
    return [...known, ...leftOver];
  }

  get switchError(): string | undefined {
    return this.#switchError;
  }

  #note(
    record: VpcRecord,
    generation: number,
    error: string | undefined,
    resyncedAt: Date | undefined,
  ): void {
    record.generation = generation;
    record.error = error;
    if (error !== undefined) return;
    record.observedGeneration = generation;
    record.lastResync = resyncedAt ?? record.lastResync;
  }

  #forgetGone({ scope, vpcs }: IntentSlice, { failedVpcs }: Outcome): void {
    const known = [...this.#records.keys(), ...this.#notRemoved];
    const looked = scope === "all" ? [...known, ...failedVpcs.keys()] : scope;
    for (const id of looked) {
      if (id === EXCHANGE || vpcs.has(id)) continue;
      this.#records.delete(id);
      if (failedVpcs.has(id)) this.#notRemoved.add(id);
      else this.#notRemoved.delete(id);
    }
  }

  #ensure(key: string, bridge: string): VpcRecord {
    const existing = this.#records.get(key);
    if (existing !== undefined) return existing;
    const record = newRecord(bridge);
    this.#records.set(key, record);
    return record;
  }
}

function judge(
  kind: BackendKind,
  message: string | undefined,
  generations: Pick<DataPlaneStatus, "generation" | "observedGeneration">,
): DataPlaneStatus {
  if (kind === "noop") return { state: "noop", ...generations };
  if (message !== undefined) return { state: "error", message, ...generations };
  const { generation, observedGeneration } = generations;
  return { state: observedGeneration >= generation ? "programmed" : "pending", ...generations };
}

function newRecord(bridge: string): VpcRecord {
  return {
    bridge,
    generation: 0,
    observedGeneration: 0,
    driftCount: 0,
    error: undefined,
    lastResync: undefined,
    settings: [],
    unread: false,
  };
}

const NOTHING = { missing: [], changed: [], unexpected: [], foreign: [] };

import type { FullInterfaces, InterfaceConnections } from "./connections.js";
import type { DropSurvey, InterfaceDrops } from "./drops.js";
import type { PeeringIntent, Scope } from "./intent.js";

export type BackendKind = "ovs" | "noop";

/**
 * How far the switch has followed a resource; `noop` when there is nothing for it to do, or no
 * switch. Generations: see ADR "states as promises".
 */
export interface DataPlaneStatus {
  readonly state: "pending" | "programmed" | "error" | "noop";
  readonly message?: string;
  readonly generation: number;
  readonly observedGeneration: number;
}

/**
 * Where a network interface is plugged in. `dead`: into a port that carries no packets, as far as
 * the switch knows; the message names the port and says why, for the interface's owner.
 */
export type Binding =
  | { readonly kind: "unbound"; readonly message?: string }
  | {
      readonly kind: "bound";
      readonly port: string;
      /** Which packets do not pass, and by which setting that is not ours to change. */
      readonly hindrance?: string;
    }
  | { readonly kind: "dead"; readonly port: string; readonly message: string }
  | { readonly kind: "conflict"; readonly message: string };

/** Something about the port of an interface that its owner ought to know, though packets pass. */
export interface PortWarning {
  readonly code: "hostReachable";
  readonly message: string;
}

/** Wakes the reconciler. The call carries no data that the result depends on, only where to look. */
export interface Waker {
  wake(vpcIds: Iterable<string>): void;
}

/** What is known of the switch without asking it; and its counters, for which it is asked. */
/**
 * Whether this daemon may change the switch. Of several of one installation one may; while its
 * database is away it is not known which.
 */
export type FenceState =
  | { readonly kind: "ours" | "unknown" }
  /** For an operator: the reason tells of the host. */
  | { readonly kind: "another"; readonly reason: string };

export interface DataPlaneView {
  readonly backend: BackendKind;
  /** Status of something that lives in these VPCs and last changed at `generation`. */
  status(vpcIds: readonly string[], generation: number): DataPlaneStatus;
  /** Whether the VPC has been made on the switch, whatever of it has changed since. */
  isMade(vpcId: string): boolean;
  /** Status of the end of a VPC that intent has not had any more since `generation`. */
  removal(vpcId: string, generation: number): DataPlaneStatus;
  binding(networkInterfaceId: string): Binding;
  portWarnings(networkInterfaceId: string): readonly PortWarning[];
  /** Why nothing new passes through the switch, for anybody to read; undefined when it does. */
  outage(): string | undefined;
  /** Interfaces that are plugged into a port that carries no packets. */
  deadPorts(): number;
  /** The deterministic name of a VPC's bridge. */
  bridgeName(vpcNumber: number): string;
  /** The desired flows of a live peering, by bridge, in `ovs-ofctl` syntax. */
  peeringFlows(peering: PeeringIntent): PeeringBridgeFlows[];
  bridges(): BridgeStatus[];
  /**
   * Null when nothing counts what is dropped: see `Backend`.
   * @throws DomainError `ServiceUnavailable` when the switch cannot be read
   */
  dropsOf(networkInterfaceId: string): Promise<InterfaceDrops | null>;
  /** Null when there is no switch that could count. Does not throw: see `complete`. */
  surveyDrops(): Promise<DropSurvey | null>;
  /**
   * Null when nothing counts connections: see `Backend`.
   * @throws DomainError `ServiceUnavailable` when the switch cannot be read
   */
  connections(networkInterfaceId: string): Promise<InterfaceConnections | null>;
  /** As last read of the switch; null before that, and without a switch. */
  fullInterfaces(): FullInterfaces | null;
}

export interface PeeringBridgeFlows {
  readonly bridge: string;
  /** Null for the exchange. */
  readonly vpcId: string | null;
  readonly flows: string[];
}

export interface BridgeStatus {
  readonly bridge: string;
  /** Null for the exchange. */
  readonly vpcId: string | null;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly flowCount: number;
  /** Own flows found deleted, altered or added by somebody else since start. */
  readonly driftCount: number;
  readonly lastError: string | null;
  /** RFC 3339, null before the first resync. */
  readonly lastResync: string | null;
  /** What stands otherwise than we make it, as far as it was not put right. */
  readonly settings: readonly SettingDrift[];
}

/** A setting of the switch that is not as we make it. */
export interface SettingDrift {
  /** `bridge NAME`, `port NAME`, `interface NAME`, or what else has the setting. */
  readonly object: string;
  /** As ovs-vsctl names it: `tag`, `other_config:forward-bpdu`; `existence` of the object itself. */
  readonly setting: string;
  readonly found: string;
  /** Null: it is only reported, and not ours to change. */
  readonly wanted: string | null;
}

/** The difference between what is desired of one bridge and what it has; flows as `ovs-ofctl` text. */
export interface BridgeDiff {
  readonly bridge: string;
  readonly missing: string[];
  readonly changed: string[];
  readonly unexpected: string[];
  /** On our bridge but not ours: reported, never touched. */
  readonly foreign: string[];
  readonly settings: readonly SettingDrift[];
  /** Why it could not be looked at, or was not made as desired. */
  readonly error: string | null;
}

export interface ReconcileReport {
  /** Whether all of it was done; never in a dry run. */
  readonly applied: boolean;
  readonly bridges: BridgeDiff[];
}

/** An operator's direct wish to the reconciler. */
export interface Reconciling {
  /** Compares with the switch itself, and repairs unless `dryRun`. */
  reconcileNow(scope: Scope, dryRun: boolean): Promise<ReconcileReport>;
}

/** Lets a caller wait until the reconciler has written back what has become of something. */
export interface Settlements {
  /** True once the daemon is stopping: nobody waits any more. */
  readonly closed: boolean;
  /**
   * Resolves when a peering may have settled, when a VPC has been looked at, after `limitMs`, or when
   * the daemon stops.
   * @param id of a peering or of a VPC
   */
  next(id: string, limitMs: number): Promise<void>;
}

import type { FullInterfaces, InterfaceConnections } from "../domain/connections.js";
import type {
  BackendKind,
  Binding,
  BridgeDiff,
  FenceState,
  PeeringBridgeFlows,
  PortWarning,
  SettingDrift,
} from "../domain/data-plane.js";
import type { DropSurvey, InterfaceDrops } from "../domain/drops.js";
import type { IntentSlice, PeeringIntent, Scope } from "../domain/intent.js";
import type { Tracing } from "../domain/reachability/trace.js";

/** How a backend tells the reconciler that what was believed of a part of the switch may be wrong. */
export interface BackendEvents {
  /** The switch came back, restarted, or a bridge, port, binding or flow was changed. */
  doubt(scope: Scope): void;
}

export interface BackendIdentity {
  /** Unique to this installation; bridges and ports carry it in external_ids. */
  readonly installationId: string;
  /** 24 bits of it, never zero; part of cookies and of bridge names. */
  readonly mark: number;
}

/**
 * Translates intent into a data plane. A backend is given intent, never flows.
 *
 * One caller, one call at a time: the reconciler serialises `plan` and `apply`. Everything else may
 * be called at any time, also meanwhile.
 */
export interface Backend extends Tracing {
  readonly kind: BackendKind;

  /** Begins watching the switch. Does not wait for it and does not fail when it is away. */
  start(events: BackendEvents): Promise<void>;
  /** Changes nothing from now on, and lets another daemon of the installation have the switch. */
  standDown(): void;
  /** Ends that: the switch is asked for again. */
  standUp(): void;
  /** Stops watching. Leaves every flow, port and bridge as it is. */
  stop(): Promise<void>;

  /**
   * Observes the scope of `intent` and computes what separates the switch from it.
   * With `fresh` the switch itself is read; otherwise what is believed of it may be used.
   * A scope of "all" also finds bridges of this installation whose VPC is gone.
   * Whether the switch answers is found out while intent is still being loaded.
   * @throws BackendError when the switch cannot be reached at all
   */
  plan(
    intent: IntentSlice | Promise<IntentSlice>,
    options: { readonly fresh: boolean },
  ): Promise<Plan>;

  /**
   * Pieces of work that read what is believed of the switch anew, each a few bridges. They change
   * nothing, and are done one at a time like `plan` and `apply`, which may come in between.
   * Each throws BackendError when the switch cannot be reached.
   */
  readings(): ReadonlyArray<() => Promise<void>>;

  /** Makes it so, as far as possible; failures are part of the outcome, not exceptions. */
  apply(plan: Plan): Promise<Outcome>;

  binding(networkInterfaceId: string): Binding;
  /** What is seen of the interface's ports from outside the switch; none when nothing is wrong. */
  portWarnings(networkInterfaceId: string): readonly PortWarning[];
  /** Why nothing new passes although the switch answers, for anybody to read. */
  outage(): string | undefined;
  /** Interfaces that are plugged into a port that carries no packets: for status only. */
  deadPorts(): number;
  /** Whether this daemon may change the switch; it has no switch to share without one. */
  fence(): FenceState;
  bridgeName(vpcNumber: number): string;
  exchangeName(): string;
  /** Desired flows of one peering, rendered with the ports as known now. */
  peeringFlows(peering: PeeringIntent): PeeringBridgeFlows[];
  /** Desired flows at present per bridge, by bridge name: for status only. */
  flowCounts(): ReadonlyMap<string, number>;

  /**
   * Reads the drop counters of an interface from the switch. Null when nothing counts: it is not
   * plugged in or not programmed yet, or there is no switch. That is not to say that nothing is
   * dropped, which zeros would.
   * @throws BackendError when the switch cannot be read
   */
  dropsOf(networkInterfaceId: string): Promise<InterfaceDrops | null>;
  /**
   * Reads the drop counters of every interface, within a time limit; never throws. Null when there
   * is no switch that could count.
   */
  surveyDrops(): Promise<DropSurvey | null>;
  /**
   * How many connections the switch remembers of an interface, no more than a second ago. Null when
   * nothing counts: it is not plugged in or not programmed yet, or there is no switch.
   * @throws BackendError when the switch cannot be read
   */
  connections(networkInterfaceId: string): Promise<InterfaceConnections | null>;
  /** As last read of the switch; null before that, and without a switch. */
  fullInterfaces(): FullInterfaces | null;
  /** Bridges whose switch tells at once when somebody else changes flows: for status only. */
  watchedBridges(): number;
}

/** A computed difference. Backends extend it with what their `apply` needs. */
export interface Plan {
  readonly intent: IntentSlice;
  /** One entry for each bridge in scope, also where nothing differs or nothing could be compared. */
  readonly diffs: readonly PlannedBridge[];
  /** Where the switch was found otherwise than we left it, and this plan puts that right. */
  readonly drift: readonly BridgeDrift[];
}

/** What somebody else has changed on one bridge: own flows, as `ovs-ofctl` text, and settings. */
export interface BridgeDrift {
  readonly bridge: string;
  readonly deleted: readonly string[];
  readonly altered: ReadonlyArray<{ readonly was: string; readonly is: string }>;
  /** Marked as ours, and not made by us. */
  readonly added: readonly string[];
  /** Those that are put right. */
  readonly settings: readonly SettingDrift[];
}

export interface PlannedBridge extends BridgeDiff {
  /** Null for the exchange, and for bridges whose VPC is gone. */
  readonly vpcId: string | null;
  /** That its flows could not be compared, so that the rest says nothing of them. */
  readonly unread?: boolean;
}

export interface Outcome {
  /**
   * One entry for each bridge in scope: what was done, or was to be done where there is an error.
   */
  readonly bridges: readonly PlannedBridge[];
  /** VPCs that are not as intended, with the reason for the caller; all others in scope are. */
  readonly failedVpcs: ReadonlyMap<string, string>;
  /** Why the exchange is not as intended. */
  readonly exchangeError: string | undefined;
  /** Peerings whose flows are confirmed installed on both VPC bridges and the exchange. */
  readonly installedPeerings: readonly string[];
  /** Peerings whose flows are confirmed gone from both VPC bridges, the exchange and the datapath. */
  readonly removedPeerings: readonly string[];
}

/** The switch cannot be reached or refuses; the message is written for an operator. */
export class BackendError extends Error {
  override readonly name = "BackendError";
  /** Whether it tells nothing of the host that tenants should not know. */
  readonly shareable: boolean;

  constructor(message: string, options: ErrorOptions & { readonly shareable?: boolean } = {}) {
    super(message, options);
    this.shareable = options.shareable ?? false;
  }
}

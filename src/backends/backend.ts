import type { BackendKind, Binding, BridgeDiff, PeeringBridgeFlows } from "../domain/data-plane.js";
import type { IntentSlice, PeeringIntent, Scope } from "../domain/intent.js";

/** How a backend tells the reconciler that what was believed of a part of the switch may be wrong. */
export interface BackendEvents {
  /** The switch came back, restarted, or a bridge, port or binding changed. */
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
 * One caller, one call at a time: the reconciler serialises `plan` and `apply`.
 */
export interface Backend {
  readonly kind: BackendKind;

  /** Begins watching the switch. Does not wait for it and does not fail when it is away. */
  start(events: BackendEvents): Promise<void>;
  /** Stops watching. Leaves every flow, port and bridge as it is. */
  stop(): Promise<void>;

  /**
   * Observes the scope of `intent` and computes what separates the switch from it.
   * With `fresh` the switch itself is read; otherwise what is believed of it may be used.
   * A scope of "all" also finds bridges of this installation whose VPC is gone.
   * @throws BackendError when the switch cannot be reached at all
   */
  plan(intent: IntentSlice, options: { readonly fresh: boolean }): Promise<Plan>;

  /** Makes it so, as far as possible; failures are part of the outcome, not exceptions. */
  apply(plan: Plan): Promise<Outcome>;

  binding(networkInterfaceId: string): Binding;
  bridgeName(vpcNumber: number): string;
  exchangeName(): string;
  /** Desired flows of one peering, rendered with the ports as known now. */
  peeringFlows(peering: PeeringIntent): PeeringBridgeFlows[];
  /** Desired flows at present per bridge, by bridge name: for status only. */
  flowCounts(): ReadonlyMap<string, number>;
}

/** A computed difference. Backends extend it with what their `apply` needs. */
export interface Plan {
  readonly intent: IntentSlice;
  /** One entry for each bridge in scope that was compared, also where nothing differs. */
  readonly diffs: readonly PlannedBridge[];
}

export interface PlannedBridge extends BridgeDiff {
  /** Null for the exchange, and for bridges whose VPC is gone. */
  readonly vpcId: string | null;
}

export interface Outcome {
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

import type { SettingDrift } from "../../../domain/data-plane.js";
import type { Scope } from "../../../domain/intent.js";
import type { BridgeDrift } from "../../backend.js";

/** A setting that somebody else has changed. */
export interface SettingChange {
  /** Where it is told: the VPC's bridge, or the exchange for what concerns all. */
  readonly bridge: string;
  /** Null for what concerns all. */
  readonly vpcId: string | null;
  readonly drift: SettingDrift;
}

/** Changes that nobody has been told of yet. */
export class SettingNews {
  #changes: readonly SettingChange[] = [];

  add(changes: readonly SettingChange[]): void {
    this.#changes = [...this.#changes, ...changes];
  }

  /** Those that a plan of this scope tells of. */
  within(scope: Scope): SettingChange[] {
    return this.#changes.filter(({ vpcId }) =>
      scope === "all" ? true : vpcId !== null && scope.has(vpcId),
    );
  }

  told(changes: readonly SettingChange[]): void {
    this.#changes = this.#changes.filter((change) => !changes.includes(change));
  }
}

/** Where to look again because of changes. */
export function scopeOfChanges(changes: readonly SettingChange[]): Scope {
  const ids = changes.map(({ vpcId }) => vpcId);
  const known = ids.filter((id) => id !== null);
  return known.length < ids.length ? "all" : new Set(known);
}

/** Changes as they are told beside those of flows. */
export function describeChanges(changes: readonly SettingChange[]): BridgeDrift[] {
  const bridges = new Map<string, SettingDrift[]>();
  for (const { bridge, drift } of changes) {
    bridges.set(bridge, [...(bridges.get(bridge) ?? []), drift]);
  }
  const none = { deleted: [], altered: [], added: [] };
  return [...bridges].map(([bridge, settings]) => ({ bridge, ...none, settings }));
}

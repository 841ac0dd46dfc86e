import type { IntentSlice, Scope, VpcIntent } from "../../domain/intent.js";
import { isGone } from "../flows/desired.js";

/**
 * Which VPCs have rules that name groups of which others, as far as plans have told. Where something
 * is plugged in or out, the bridges of these change as well.
 */
export class GroupUsers {
  /** By the VPC with the rules: those with the groups. */
  readonly #named = new Map<string, ReadonlySet<string>>();
  /** By the VPC with the groups: those with the rules. */
  readonly #users = new Map<string, Set<string>>();

  learn(slice: IntentSlice): void {
    const known = slice.scope === "all" ? [...this.#named.keys()] : slice.scope;
    for (const vpcId of known) if (isGone(slice, vpcId)) this.#assign(vpcId, new Set());
    for (const vpc of slice.vpcs.values()) this.#assign(vpc.id, namedBy(vpc));
  }

  /** These VPCs, and those with rules that name groups of theirs. */
  withUsers(vpcIds: Scope): Scope {
    if (vpcIds === "all") return vpcIds;
    return new Set([...vpcIds].flatMap((id) => [id, ...(this.#users.get(id) ?? [])]));
  }

  #assign(user: string, named: ReadonlySet<string>): void {
    for (const vpcId of this.#named.get(user) ?? []) {
      const users = this.#users.get(vpcId);
      users?.delete(user);
      if (users?.size === 0) this.#users.delete(vpcId);
    }
    if (named.size === 0) this.#named.delete(user);
    else this.#named.set(user, named);
    for (const vpcId of named) {
      this.#users.set(vpcId, (this.#users.get(vpcId) ?? new Set()).add(user));
    }
  }
}

function namedBy({ id, peerGroups }: VpcIntent): Set<string> {
  return new Set(peerGroups.map(({ vpcId }) => vpcId).filter((vpcId) => vpcId !== id));
}

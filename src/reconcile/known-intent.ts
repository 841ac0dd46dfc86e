import type { IntentSlice, PeeringIntent, Scope, VpcIntent } from "../domain/intent.js";

/** What was last read of intent, put together from one slice after the other. */
export class KnownIntent {
  readonly #vpcs = new Map<string, VpcIntent>();
  readonly #peerings = new Map<string, PeeringIntent>();
  /** The peerings of each VPC, by their ids. */
  readonly #peeringsOf = new Map<string, Set<string>>();
  #generation = 0;
  #complete = false;

  learn({ scope, generation, vpcs, peerings }: IntentSlice): void {
    if (scope === "all") this.#forgetAll();
    else for (const id of scope) this.#forget(id);
    for (const [id, vpc] of vpcs) this.#vpcs.set(id, vpc);
    for (const peering of peerings) this.#add(peering);
    this.#generation = generation;
    this.#complete ||= scope === "all";
  }

  /** As it was when each VPC was last read; undefined before all of them have been. */
  recall(scope: Scope): IntentSlice | undefined {
    if (!this.#complete) return undefined;
    const ids = scope === "all" ? [...this.#vpcs.keys()] : [...scope];
    const peeringIds = new Set(ids.flatMap((id) => [...(this.#peeringsOf.get(id) ?? [])]));
    const peerings = [...peeringIds].flatMap((id) => this.#peerings.get(id) ?? []);
    const vpcs = ids.flatMap((id): [string, VpcIntent][] => {
      const vpc = this.#vpcs.get(id);
      return vpc === undefined ? [] : [[id, vpc]];
    });
    return { scope, generation: this.#generation, vpcs: new Map(vpcs), peerings };
  }

  #add(peering: PeeringIntent): void {
    this.#peerings.set(peering.id, peering);
    for (const vpcId of endsOf(peering)) {
      const ids = this.#peeringsOf.get(vpcId) ?? new Set();
      this.#peeringsOf.set(vpcId, ids.add(peering.id));
    }
  }

  #forgetAll(): void {
    this.#vpcs.clear();
    this.#peerings.clear();
    this.#peeringsOf.clear();
  }

  #forget(vpcId: string): void {
    this.#vpcs.delete(vpcId);
    for (const id of this.#peeringsOf.get(vpcId) ?? []) {
      const peering = this.#peerings.get(id);
      this.#peerings.delete(id);
      for (const end of peering === undefined ? [] : endsOf(peering)) {
        if (end !== vpcId) this.#peeringsOf.get(end)?.delete(id);
      }
    }
    this.#peeringsOf.delete(vpcId);
  }
}

function endsOf({ requester, accepter }: PeeringIntent): [string, string] {
  return [requester.vpcId, accepter.vpcId];
}

import type { IntentSlice } from "../../domain/intent.js";
import { isGone } from "../flows/desired.js";

/** Which VPC each network interface belongs to, as far as plans have told. */
export class InterfaceHomes {
  readonly #homes = new Map<string, string>();
  readonly #interfaces = new Map<string, readonly string[]>();

  learn(slice: IntentSlice): void {
    const known = slice.scope === "all" ? [...this.#interfaces.keys()] : slice.scope;
    for (const vpcId of known) if (isGone(slice, vpcId)) this.#assign(vpcId, []);
    for (const vpc of slice.vpcs.values()) {
      this.#assign(
        vpc.id,
        vpc.interfaces.map(({ id }) => id),
      );
    }
  }

  of(networkInterfaceId: string): string | undefined {
    return this.#homes.get(networkInterfaceId);
  }

  #assign(vpcId: string, interfaces: readonly string[]): void {
    for (const id of this.#interfaces.get(vpcId) ?? []) this.#homes.delete(id);
    for (const id of interfaces) this.#homes.set(id, vpcId);
    if (interfaces.length === 0) this.#interfaces.delete(vpcId);
    else this.#interfaces.set(vpcId, interfaces);
  }
}

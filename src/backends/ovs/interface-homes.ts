import type { IntentSlice, InterfaceIntent } from "../../domain/intent.js";
import { isGone } from "../flows/desired.js";

/** A network interface and where it belongs. */
export interface InterfaceHome {
  readonly id: string;
  readonly number: number;
  readonly vpcId: string;
}

/** Which VPC each network interface belongs to, as far as plans have told. */
export class InterfaceHomes {
  readonly #byId = new Map<string, InterfaceHome>();
  readonly #byNumber = new Map<number, InterfaceHome>();
  readonly #ofVpc = new Map<string, readonly InterfaceHome[]>();

  learn(slice: IntentSlice): void {
    const known = slice.scope === "all" ? [...this.#ofVpc.keys()] : slice.scope;
    for (const vpcId of known) if (isGone(slice, vpcId)) this.#assign(vpcId, []);
    for (const vpc of slice.vpcs.values()) this.#assign(vpc.id, vpc.interfaces);
  }

  /** The VPC that an interface belongs to. */
  of(networkInterfaceId: string): string | undefined {
    return this.#byId.get(networkInterfaceId)?.vpcId;
  }

  withId(networkInterfaceId: string): InterfaceHome | undefined {
    return this.#byId.get(networkInterfaceId);
  }

  withNumber(number: number): InterfaceHome | undefined {
    return this.#byNumber.get(number);
  }

  #assign(vpcId: string, interfaces: readonly InterfaceIntent[]): void {
    for (const { id, number } of this.#ofVpc.get(vpcId) ?? []) {
      this.#byId.delete(id);
      this.#byNumber.delete(number);
    }
    const homes = interfaces.map(({ id, number }) => ({ id, number, vpcId }));
    for (const home of homes) {
      this.#byId.set(home.id, home);
      this.#byNumber.set(home.number, home);
    }
    if (homes.length === 0) this.#ofVpc.delete(vpcId);
    else this.#ofVpc.set(vpcId, homes);
  }
}

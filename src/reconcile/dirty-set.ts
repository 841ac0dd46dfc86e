import type { Scope } from "../domain/intent.js";

/** Work that is due: where to look, and whether the switch itself must be read. */
export interface Work {
  readonly scope: Scope;
  readonly fresh: boolean;
}

/** The VPCs that need a look. Marks coalesce: a VPC marked twice is looked at once. */
export class DirtySet {
  #all = false;
  #fresh = false;
  #vpcs = new Set<string>();

  mark(scope: Scope, options: { readonly fresh: boolean }): void {
    if (scope === "all") this.#all = true;
    else for (const id of scope) this.#vpcs.add(id);
    this.#fresh ||= options.fresh;
  }

  get isEmpty(): boolean {
    return !this.#all && this.#vpcs.size === 0;
  }

  /** Empties the set. */
  take(): Work {
    const work: Work = {
      scope: this.#all ? "all" : this.#vpcs,
      fresh: this.#fresh,
    };
    this.#all = false;
    this.#fresh = false;
    this.#vpcs = new Set();
    return work;
  }
}

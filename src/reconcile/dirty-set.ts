import type { Scope } from "../domain/intent.js";

/** Work that is due. */
export interface Work {
  /** Where to look. */
  readonly scope: Scope;
  /** Whether it is to rest on what the switch itself says. */
  readonly fresh: boolean;
  /** Whether that has been read just now, ahead of the work. */
  readonly isRead?: boolean;
}

/** The VPCs that need a look. Marks coalesce: a VPC marked twice is looked at once. */
export class DirtySet {
  #all = false;
  #fresh = false;
  #isRead = true;
  #vpcs = new Set<string>();

  mark(scope: Scope, options: Omit<Work, "scope">): void {
    if (scope === "all") this.#all = true;
    else for (const id of scope) this.#vpcs.add(id);
    if (!options.fresh) return;
    this.#fresh = true;
    this.#isRead &&= options.isRead === true;
  }

  get isEmpty(): boolean {
    return !this.#all && this.#vpcs.size === 0;
  }

  /** Empties the set. */
  take(): Work {
    const work: Work = {
      scope: this.#all ? "all" : this.#vpcs,
      fresh: this.#fresh,
      ...(this.#fresh && this.#isRead && { isRead: true }),
    };
    this.#all = false;
    this.#fresh = false;
    this.#isRead = true;
    this.#vpcs = new Set();
    return work;
  }
}

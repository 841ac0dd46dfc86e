import type { Replica } from "./replica.js";
import type { Unixctl } from "./unixctl.js";

/**
 * Set while somebody restores flows after a restart of ovs-vswitchd. It reads it at its start, and
 * from then on only until it is gone. The flag is the whole switch's, and not ours to remove.
 */
const FLAG = "flow-restore-wait";

/**
 * For anybody to read: it tells nothing of the host but that it is not in order. Nothing new: the
 * kernel's datapath goes on forwarding what it was told before.
 */
export const FROZEN = `nothing new passes: the switch was started with other_config:${FLAG}=true and waits until that is removed from its table Open_vSwitch`;

export interface FreezeWatchOptions {
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
  /** Called when the switch has stopped forwarding, or forwards again. */
  changed(): void;
}

/** Knows whether the whole switch forwards nothing new because it waits for flows to be restored. */
export class FreezeWatch {
  readonly #options: FreezeWatchOptions;
  #isAsked = false;
  #isFrozen = false;

  constructor(options: FreezeWatchOptions) {
    this.#options = options;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Looks at what the database says: who no longer asks the switch to wait thaws it. */
  follow({ system }: Replica): void {
    const isAsked = system?.otherConfig.get(FLAG)?.toLowerCase() === "true";
    if (isAsked && !this.#isAsked) this.#options.log.warn({}, WARNING);
    this.#isAsked = isAsked;
    if (!isAsked) this.#note(false);
  }

  /** The switch is away: the next one may have been started otherwise. */
  forget(): void {
    this.#isFrozen = false;
  }

  /**
   * Asks ovs-vswitchd itself, if need be: one that runs already when it is told to wait does not.
   * @throws Error when it does not answer
   */
  async check(unixctl: Pick<Unixctl, "runBeside">): Promise<void> {
    if (!this.#isAsked) return;
    const shown = await unixctl.runBeside("upcall/show", []);
    if (this.#isAsked) this.#note(isWaiting(shown));
  }

  #note(isFrozen: boolean): void {
    if (isFrozen === this.#isFrozen) return;
    this.#isFrozen = isFrozen;
    if (isFrozen) this.#options.log.warn({}, FROZEN);
    else this.#options.log.info({}, "the switch forwards packets again");
    this.#options.changed();
  }
}

/**
 * Only a switch that waits has a datapath and no threads that look after its flows (measured on Open
 * vSwitch 3.1.0). Each thread has one line: `  5: (keys 4)`.
 */
export function isWaiting(upcallShow: string): boolean {
  return /^\s+flows\b/m.test(upcallShow) && !/^\s+\d+: \(keys \d+\)/m.test(upcallShow);
}

const WARNING = `other_config:${FLAG}=true is set in the table Open_vSwitch: once ovs-vswitchd starts again it forwards nothing new until that is removed`;

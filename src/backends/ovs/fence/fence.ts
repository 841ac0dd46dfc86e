import type { FenceState } from "../../../domain/data-plane.js";
import { BackendError } from "../../backend.js";
import type { BackendLog } from "../backend-log.js";
import { serviceLock } from "../external-ids.js";
import type { Ovsdb } from "../ovsdb.js";
import { holderKey, holderOperations } from "./holder.js";

/** What would have changed the switch was not begun. */
export class SwitchNotHeld extends BackendError {}

/** For whoever is about to change the switch. */
export interface FenceCheck {
  /** @throws SwitchNotHeld unless this daemon is known to hold the switch */
  check(): void;
}

type FencedDatabase = Pick<Ovsdb, "isLocked" | "replica" | "transact">;

export interface FenceOptions {
  readonly installationId: string;
  /** Who this daemon is: see `holderText`. */
  readonly holder: string;
  readonly log: BackendLog;
}

/**
 * Lets one daemon of an installation work on the switch, and the others say why they do not. It is
 * a lock of the database server, which every transaction asserts. What goes to ovs-vswitchd cannot
 * assert it: so nothing of that is begun unless the lock is held as far as is known.
 */
export class Fence implements FenceCheck {
  readonly #options: FenceOptions;
  #kind: FenceState["kind"] = "unknown";
  #holder: string | undefined;
  #standsDown = false;

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  get lock(): string {
    return serviceLock(this.#options.installationId);
  }

  /** Whether the switch is left to others for now. */
  get standsDown(): boolean {
    return this.#standsDown;
  }

  get state(): FenceState {
    if (this.#standsDown) return { kind: "another", reason: STOOD_DOWN };
    return this.#kind === "another"
      ? { kind: "another", reason: this.#reason() }
      : { kind: this.#kind };
  }

  check(): void {
    const { state } = this;
    if (state.kind === "ours") return;
    throw new SwitchNotHeld(state.kind === "another" ? state.reason : NOT_GIVEN);
  }

  stand(isUp: boolean): void {
    this.#standsDown = !isUp;
    if (isUp && this.#kind === "ours") this.#kind = "unknown";
  }

  /** To be called when the database is there. */
  came(ovsdb: FencedDatabase): void {
    this.#read(ovsdb);
    if (ovsdb.isLocked) this.#take(ovsdb);
    // A connection of our own that the database has not found to be gone yet is nobody else.
    else if (this.#holder === this.#options.holder || this.#standsDown) this.#kind = "unknown";
    else this.#yield();
  }

  /** To be called when the database tells that the lock has come or gone. */
  lockChanged(ovsdb: FencedDatabase): void {
    if (ovsdb.isLocked) this.#take(ovsdb);
    else this.#yield();
  }

  /** To be called when rows have changed: who has the lock signs for it. */
  rowsChanged(ovsdb: FencedDatabase): void {
    this.#read(ovsdb);
    if (this.#kind === "unknown" && this.#holder !== this.#options.holder) this.#yield();
  }

  /**
   * The database is away, and gives the lock to the next who asks. Who did not have it still takes
   * another daemon to be at work: that needs no database to go on.
   */
  lost(): void {
    if (this.#kind === "ours") this.#kind = "unknown";
  }

  /** What was signed last may be our own, from before the lock was taken from us. */
  #reason(): string {
    const isSigned = this.#holder !== undefined && this.#holder !== this.#options.holder;
    const who = isSigned ? this.#holder : "it has not said who it is";
    return `another daemon of this installation holds the switch (${who}): this one changes nothing, and waits for that one to end`;
  }

  #read({ replica }: FencedDatabase): void {
    this.#holder = replica.system?.externalIds.get(holderKey(this.#options.installationId));
  }

  #take(ovsdb: FencedDatabase): void {
    if (this.#kind === "another") this.#options.log.info({}, "this daemon holds the switch now");
    this.#kind = "ours";
    void this.#sign(ovsdb);
  }

  #yield(): void {
    if (this.#kind !== "another") this.#options.log.warn({ holder: this.#holder }, WAITING);
    this.#kind = "another";
  }

  async #sign(ovsdb: FencedDatabase): Promise<void> {
    const { installationId, holder, log } = this.#options;
    try {
      await ovsdb.transact(holderOperations(installationId, holder));
    } catch (error) {
      log.warn({ err: error }, "others are not told who holds the switch");
    }
  }
}

const NOT_GIVEN = "the database of the switch has not given this daemon the switch yet";
const STOOD_DOWN =
  "the switch is left to the daemon that works on the database: this one changes nothing meanwhile";
const WAITING = "another daemon holds the switch; waiting for it to end";

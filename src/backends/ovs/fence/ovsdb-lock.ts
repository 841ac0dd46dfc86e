import type { JsonRpc } from "../json-rpc.js";

const LIMIT_MS = 5000;

/**
 * A lock of the database server (RFC 7047, section 4.1.8): of all connections that ask for it one
 * has it, until it ends. The others are told when their turn has come.
 */
export class OvsdbLock {
  readonly #name: string;
  readonly #changed: () => void;
  #isHeld = false;
  #wasTold = false;

  /**
   * @param name letters, digits and underscores
   * @param changed called when the lock has come or gone, not for the answer to `request`
   */
  constructor(name: string, changed: () => void) {
    this.#name = name;
    this.#changed = changed;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The operation with which a transaction fails unless the lock is held (section 5.2.10). */
  get assertion() {
    return { op: "assert", lock: this.#name };
  }

  /** Asks for the lock; without it, from then on waits for it. */
  async request(rpc: JsonRpc): Promise<void> {
    const answer = await rpc.request("lock", [this.#name], LIMIT_MS);
    // What was told meanwhile is newer than the answer.
    if (!this.#wasTold) this.#isHeld = isGranted(answer);
  }

  /** Gives the lock up, or no longer waits for it. From the call on it does not count as held. */
  async release(rpc: JsonRpc): Promise<void> {
    this.#isHeld = false;
    this.#wasTold = false;
    await rpc.request("unlock", [this.#name], LIMIT_MS);
  }

  /** Takes in a notification of the server. */
  notified(method: string, params: unknown): void {
    if (method !== "locked" && method !== "stolen") return;
    if (!Array.isArray(params) || params[0] !== this.#name) return;
    this.#wasTold = true;
    this.#isHeld = method === "locked";
    this.#changed();
  }
}

function isGranted(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "locked" in answer
    ? answer.locked === true
    : false;
}

import type { FlowDelta } from "../../../openflow/delta.js";
import type { Flow } from "../../../openflow/flow.js";
import type { FlowUpdate } from "../../../openflow/wire/flow-updates.js";

/** What the switch will tell of one bundle of ours, until it has told. */
export interface Account {
  readonly awaited: Map<string, number>;
  /** Whether the bridge was, when the bundle was sent, as it is believed to be. */
  trusted: boolean;
}

/**
 * Tells our own changes to one bridge from those of others, by counting.
 *
 * A bundle that succeeds yields exactly one addition for each flow that it adds, whatever was there
 * before, and one removal for each flow that it removes and that was there. So whatever is told
 * beyond that is somebody else's; an addition or removal that somebody else has got in before ours
 * makes one too many. A flow that was not there to be removed leaves a removal that is awaited in
 * vain, which another one could hide behind: but for it not to be there something else must have
 * been told before, and since then no account is trusted.
 */
export class Ledger {
  #open: Account[] = [];

  /** @param suspected whether the bridge is to be read again anyway */
  open(delta: FlowDelta, suspected: boolean): Account {
    const awaited = new Map<string, number>();
    const add = (kind: string, flow: Flow) => {
      const key = keyOf(kind, flow);
      awaited.set(key, (awaited.get(key) ?? 0) + 1);
    };
    for (const flow of delta.unexpected) add("removed", flow);
    for (const { to } of delta.changed) add("added", to);
    for (const flow of delta.missing) add("added", flow);
    const account = { awaited, trusted: !suspected && this.#open.every(({ trusted }) => trusted) };
    this.#open.push(account);
    return account;
  }

  /** @returns whether one of our bundles explains the update */
  explains(update: FlowUpdate): boolean {
    const key = update.kind === "unclear" ? undefined : keyOf(update.kind, update);
    const account = this.#open.find(({ awaited }) => key !== undefined && awaited.has(key));
    if (key === undefined || account === undefined) {
      for (const each of this.#open) each.trusted = false;
      return false;
    }
    const left = (account.awaited.get(key) ?? 0) - 1;
    if (left > 0) account.awaited.set(key, left);
    else account.awaited.delete(key);
    return true;
  }

  /**
   * All that there was to be told of a bundle has been told.
   * @returns whether nobody else can have changed anything meanwhile without being noticed
   */
  close(account: Account): boolean {
    this.#open = this.#open.filter((each) => each !== account);
    return account.trusted && account.awaited.size === 0;
  }
}

function keyOf(kind: string, { table, priority, cookie }: Omit<Flow, "match" | "actions">): string {
  return `${kind}|${table}|${priority}|${cookie}`;
}

import { type Account, Ledger } from "../../../../src/backends/ovs/flow-watch/ledger.js";
import { diffFlows, type FlowDelta } from "../../../../src/openflow/delta.js";
import type { Flow } from "../../../../src/openflow/flow.js";
import { flowKey, sameValue } from "../../../../src/openflow/text.js";
import type { FlowChange } from "../../../../src/openflow/wire/flow-updates.js";

type Flows = Map<string, Flow>;
/** What comes through the connection: a change, or the answer to the barrier of a bundle. */
type Told = FlowChange | { readonly answers: Account };

export type Step =
  | { readonly do: "send" | "bundle"; readonly desired: readonly number[] }
  | { readonly do: "commit" | "reply" | "fail" | "passBarrier" | "tell" | "tellAll" | "read" }
  | {
      readonly do: "strangerDeletes" | "strangerAdds" | "strangerReplaces" | "strangerModifies";
      readonly key: number;
    };

const OURS = 1n;

/** All alike in what is told of a flow: table, priority and cookie. */
function flowOf(key: number, actions = "drop", cookie = OURS): Flow {
  return { table: 0, priority: 1, cookie, match: { in_port: String(key) }, actions };
}

/**
 * A bridge, the reconciler and a stranger, with every delay there can be between them: bundles are
 * sent, committed and confirmed, changes are told and barriers passed one step at a time.
 */
export class SimulatedBridge {
  readonly #ledger = new Ledger();
  readonly #told: Told[] = [];
  readonly #barriers: Account[] = [];
  #installed: Flows;
  #believed: Flows;
  #sent: { delta: FlowDelta; account: Account; committed: boolean } | undefined;
  #suspect = false;

  /** @param keys of the flows that are there at first, and known to be */
  constructor(keys: readonly number[]) {
    const flows = keys.map((key) => flowOf(key));
    this.#installed = new Map(flows.map((flow) => [flowKey(flow), flow]));
    this.#believed = new Map(this.#installed);
  }

  get isSuspect(): boolean {
    return this.#suspect;
  }

  get isAsBelieved(): boolean {
    const [left, right] = [this.#installed, this.#believed];
    const same = (key: string, flow: Flow) => {
      const other = right.get(key);
      return other !== undefined && sameValue(flow, other);
    };
    return left.size === right.size && [...left].every(([key, flow]) => same(key, flow));
  }

  perform(step: Step): void {
    if (step.do === "send") this.#send(step.desired);
    else if (step.do === "bundle") this.#bundle(step.desired);
    else if (step.do === "commit") this.#commit();
    else if (step.do === "reply") this.#reply();
    else if (step.do === "fail") this.#fail();
    else if (step.do === "passBarrier") this.#passBarrier();
    else if (step.do === "tell") this.#tell();
    else if (step.do === "tellAll") this.#tellAll();
    else if (step.do === "read") this.#read();
    else if ("key" in step) this.#strange(step.do, step.key);
  }

  /** Everything that is under way arrives. Nothing more is read. */
  comeToRest(): void {
    this.#finish();
    while (this.#barriers.length > 0) this.#passBarrier();
    this.#tellAll();
  }

  #bundle(desired: readonly number[]): void {
    this.#finish();
    this.#send(desired);
    this.#finish();
  }

  #finish(): void {
    this.#commit();
    this.#reply();
  }

  #tellAll(): void {
    while (this.#told.length > 0) this.#tell();
  }

  /** A bundle from what is believed to what is desired. */
  #send(desired: readonly number[]): void {
    if (this.#sent !== undefined) return;
    const wanted = desired.map((key) => flowOf(key));
    const delta = diffFlows(wanted, this.#believed.values(), (cookie) => cookie === OURS);
    const account = this.#ledger.open(delta, this.#suspect);
    this.#sent = { delta, account, committed: false };
  }

  #commit(): void {
    if (this.#sent === undefined || this.#sent.committed) return;
    this.#sent.committed = true;
    const { unexpected, changed, missing } = this.#sent.delta;
    for (const flow of unexpected) this.#delete(flow);
    for (const flow of [...changed.map(({ to }) => to), ...missing]) this.#add(flow);
  }

  #reply(): void {
    if (!this.#sent?.committed) return;
    const { delta, account } = this.#sent;
    this.#sent = undefined;
    for (const flow of delta.unexpected) this.#believed.delete(flowKey(flow));
    for (const flow of [...delta.changed.map(({ to }) => to), ...delta.missing]) {
      this.#believed.set(flowKey(flow), flow);
    }
    this.#barriers.push(account);
  }

  /** Nothing is believed after a failure until the bridge has been read, whether it committed or not. */
  #fail(): void {
    if (this.#sent === undefined) return;
    const { account } = this.#sent;
    this.#sent = undefined;
    account.trusted = false;
    this.#close(account);
  }

  #passBarrier(): void {
    const account = this.#barriers.shift();
    if (account !== undefined) this.#told.push({ answers: account });
  }

  #tell(): void {
    const next = this.#told.shift();
    if (next === undefined) return;
    if ("answers" in next) this.#close(next.answers);
    else if (!this.#ledger.explains(next)) this.#suspect = true;
  }

  #close(account: Account): void {
    if (!this.#ledger.close(account)) this.#suspect = true;
  }

  /** Readings and bundles never overlap. */
  #read(): void {
    if (this.#sent !== undefined) return;
    this.#suspect = false;
    this.#believed = new Map(this.#installed);
  }

  #strange(what: string, key: number): void {
    const there = this.#installed.get(flowKey(flowOf(key)));
    if (what === "strangerDeletes" && there !== undefined) this.#delete(there);
    else if (what === "strangerAdds") this.#add(flowOf(key, "NORMAL"));
    else if (what === "strangerReplaces") this.#add(flowOf(key, "drop", 2n));
    else if (what === "strangerModifies" && there !== undefined) {
      this.#installed.set(flowKey(there), { ...there, actions: "LOCAL" });
      this.#note("modified", there);
    }
  }

  #add(flow: Flow): void {
    this.#installed.set(flowKey(flow), flow);
    this.#note("added", flow);
  }

  /** As `delete_strict` with a cookie: nothing is done, and told, when it is another one by now. */
  #delete(flow: Flow): void {
    if (this.#installed.get(flowKey(flow))?.cookie !== flow.cookie) return;
    this.#installed.delete(flowKey(flow));
    this.#note("removed", flow);
  }

  #note(kind: FlowChange["kind"], { table, priority, cookie }: Flow): void {
    this.#told.push({ kind, table, priority, cookie });
  }
}

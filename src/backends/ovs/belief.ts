import type { Flow } from "../../openflow/flow.js";
import { InstalledFlows } from "../flows/installed.js";

/** What is believed to be on the switch: read once, then followed by our own bundles. */
export class Belief {
  readonly #mark: number;
  readonly #bridges = new Map<string, InstalledFlows>();
  #epoch = 0;
  #unconfirmed = true;

  constructor(mark: number) {
    this.#mark = mark;
  }

  /** Grows whenever everything is forgotten: a plan of an earlier epoch is void. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Whether the datapath may still forward by flows that are gone. True at first: an earlier daemon
   * may have ended between its last bundle and the confirmation.
   */
  get unconfirmed(): boolean {
    return this.#unconfirmed;
  }

  /** Undefined when nothing is believed of the bridge. */
  of(bridge: string): InstalledFlows | undefined {
    return this.#bridges.get(bridge);
  }

  set(bridge: string, flows: Iterable<Flow>): void {
    this.#bridges.set(bridge, new InstalledFlows(this.#mark, flows));
  }

  forget(bridge: string): void {
    this.#bridges.delete(bridge);
  }

  forgetAll(): void {
    this.#bridges.clear();
    this.#epoch += 1;
    this.#unconfirmed = true;
  }

  bundleSent(): void {
    this.#unconfirmed = true;
  }

  datapathConfirmed(): void {
    this.#unconfirmed = false;
  }
}

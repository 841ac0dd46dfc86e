import type { PortSettings, PortUpdate } from "../../../openflow/wire/port-status.js";

/** How the ports of one bridge are set by OpenFlow, as the switch has told so far. */
export class PortTable {
  readonly #ports = new Map<number, PortSettings>();

  /** Undefined when the switch has not told. */
  of(port: number): PortSettings | undefined {
    return this.#ports.get(port);
  }

  /** @returns whether a port stops packets that did not, or the other way round */
  apply(updates: readonly PortUpdate[]): boolean {
    // Every one is to be applied, whatever the others have changed.
    return updates.map((update) => this.#apply(update)).includes(true);
  }

  clear(): void {
    this.#ports.clear();
  }

  #apply(update: PortUpdate): boolean {
    const port = update.kind === "removed" ? update.port : update.description.port;
    const before = stops(this.#ports.get(port));
    if (update.kind === "removed") this.#ports.delete(port);
    else this.#ports.set(port, update.description);
    return stops(this.#ports.get(port)) !== before;
  }
}

/** Whether the settings keep any packets from passing. */
export function stops(settings: PortSettings | undefined): boolean {
  return settings !== undefined && (settings.noReceive || settings.noForward);
}

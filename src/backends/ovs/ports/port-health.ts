import type { PortSettings } from "../../../openflow/wire/port-status.js";
import type { Claim, Topology } from "../topology.js";
import type { PortWatch } from "./binding.js";
import { DeviceHistory } from "./device-history.js";
import { packetSocketsOf } from "./packet-sockets.js";
import { portTrouble } from "./port-trouble.js";

export interface PortHealthOptions {
  /** How a port is set by OpenFlow; undefined while that is not known. */
  settingsOf(bridge: string, port: number): PortSettings | undefined;
}

/** What is known of the ports that interfaces are plugged into, wherever it is known from. */
export class PortHealth implements PortWatch {
  readonly #options: PortHealthOptions;
  readonly #history = new DeviceHistory();
  #topology: Topology | undefined;

  constructor(options: PortHealthOptions) {
    this.#options = options;
  }

  /** @returns the VPCs in which ports have to be opened again */
  follow(topology: Topology): Set<string> {
    this.#topology = topology;
    return this.#history.follow(topology);
  }

  /**
   * This ovs-vswitchd is watched from now on: it has opened every port itself, but what has become of
   * their devices since is not known, when it has run for a while.
   */
  async begin(vswitchd: number): Promise<void> {
    const sockets = await packetSocketsOf(vswitchd);
    this.#history.forgetAll();
    if (this.#topology !== undefined) this.#history.follow(this.#topology);
    if (sockets !== undefined) this.#history.compare(sockets);
  }

  /** Whether the port of a claim has to be opened again, and can be. */
  isDue({ row }: Claim): boolean {
    return this.#history.isDue(row);
  }

  troubleOf(claim: Claim): string | undefined {
    const { plugged, bridge, ofport } = claim;
    const peer = this.#topology?.ports.get(plugged.options.get("peer") ?? "")?.interfaces[0];
    return portTrouble({
      row: plugged,
      datapathType: this.#topology?.bridges.get(bridge)?.row.datapathType ?? "",
      settings: ofport === undefined ? undefined : this.#options.settingsOf(bridge, ofport),
      hasPeer: peer?.type === "patch" && peer.options.get("peer") === plugged.name,
      isStale: this.isDue(claim),
    });
  }

  /** Interfaces that are plugged into a port that carries no packets. */
  get deadPorts(): number {
    const claims = [...(this.#topology?.claims.values() ?? [])];
    return claims.filter(
      ([claim, ...others]) =>
        claim !== undefined && others.length === 0 && this.troubleOf(claim) !== undefined,
    ).length;
  }
}

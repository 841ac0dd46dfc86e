const BASE = 36;

/**
 * What this installation calls its things on a switch. Names have at most 15 characters: with the
 * userspace datapath each bridge is also a network device (IFNAMSIZ). They carry the installation's
 * mark, so that two installations on one host do not collide.
 */
export class SwitchNames {
  readonly exchange: string;
  readonly #prefix: string;

  /** @param mark 24 bits, as in `BackendIdentity` */
  constructor(mark: number) {
    this.#prefix = `pb${mark.toString(16).padStart(6, "0")}`;
    this.exchange = `${this.#prefix}x`;
  }

  vpcBridge(vpcNumber: number): string {
    return `${this.#prefix}v${vpcNumber.toString(BASE)}`;
  }

  /** The patch port on the VPC's bridge that leads to the exchange. */
  uplink(vpcNumber: number): string {
    return `${this.#prefix}p${vpcNumber.toString(BASE)}`;
  }

  isUplink(port: string): boolean {
    return port.startsWith(`${this.#prefix}p`);
  }

  isDownlink(port: string): boolean {
    return port.startsWith(`${this.#prefix}q`);
  }

  /** The patch port on the exchange that leads to the VPC's bridge. */
  downlink(vpcNumber: number): string {
    return `${this.#prefix}q${vpcNumber.toString(BASE)}`;
  }
}

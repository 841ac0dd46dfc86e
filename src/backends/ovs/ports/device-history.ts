import type { InterfaceRow, Uuid } from "../rows.js";
import type { Topology } from "../topology.js";
import type { PacketSockets } from "./packet-sockets.js";

/** The network device that a port was opened with, as far as it has been seen. */
interface Opened {
  readonly ofport: number;
  readonly ifindex: number;
  /** Whether the switch has lost sight of it since. */
  readonly vanished: boolean;
}

/** Types of interfaces that are network devices of the host, which others make and delete. */
const DEVICES = ["", "system"];

/**
 * Finds ports whose device was replaced under the userspace datapath. ovs-vswitchd then shows the
 * new device, up and well, and sends to it; but it goes on listening to the old one until the port
 * is opened again (measured on Open vSwitch 3.1.0), which another port number or type takes. The
 * kernel's datapath drops such ports by itself.
 *
 * A device that is down is left alone until it is up: when it opens a port, ovs-vswitchd writes all
 * flags of the device as it knows them, and may set down again what is set up meanwhile (measured on
 * Open vSwitch 3.1.0: 16 of 300 times).
 */
export class DeviceHistory {
  readonly #opened = new Map<Uuid, Opened>();
  readonly #stale = new Set<Uuid>();
  readonly #down = new Set<Uuid>();

  /** @returns the VPCs in which there are more ports to be opened again */
  follow({ bridges }: Pick<Topology, "bridges">): Set<string> {
    const concerned = new Set<string>();
    const seen = new Set<Uuid>();
    for (const { own, row: bridge, vpcId, ports } of bridges.values()) {
      if (!own || bridge.datapathType !== "netdev") continue;
      for (const row of ports.flatMap(({ interfaces }) => interfaces)) {
        seen.add(row.uuid);
        if (this.#becomesDue(row) && vpcId !== undefined) concerned.add(vpcId);
      }
    }
    const known = [...this.#opened.keys(), ...this.#down];
    for (const uuid of known) if (!seen.has(uuid)) this.#forget(uuid);
    return concerned;
  }

  /**
   * Looks at what the switch listens to, for what happened while nobody watched.
   * Where it listens to no port at all, it must have other means, and is believed.
   */
  compare({ devices, someAreOrphans }: PacketSockets): void {
    const opened = [...this.#opened].filter(([, { vanished }]) => !vanished);
    const deaf = opened.filter(([, { ifindex }]) => !devices.has(ifindex));
    if (deaf.length === opened.length && !someAreOrphans) return;
    for (const [uuid] of deaf) this.#stale.add(uuid);
  }

  /** Whether a port has to be opened again, and can be. */
  isDue(uuid: Uuid): boolean {
    return this.#stale.has(uuid) && !this.#down.has(uuid);
  }

  /** Another ovs-vswitchd has opened every port anew. */
  forgetAll(): void {
    this.#opened.clear();
    this.#stale.clear();
    this.#down.clear();
  }

  #becomesDue(row: InterfaceRow): boolean {
    const wasDue = this.isDue(row.uuid);
    this.#notice(row);
    if (row.adminState === "down") this.#down.add(row.uuid);
    else this.#down.delete(row.uuid);
    return !wasDue && this.isDue(row.uuid);
  }

  #notice({ uuid, type, ofport, ifindex }: InterfaceRow): void {
    const isOpen = DEVICES.includes(type) && ofport !== undefined && ofport > 0;
    const before = this.#opened.get(uuid);
    if (!isOpen || before?.ofport !== ofport) this.#forget(uuid);
    if (!isOpen || ifindex === undefined) return;
    // A device is there when its port is opened; afterwards its index is 0 while it is not.
    const vanished = ifindex === 0;
    this.#opened.set(uuid, {
      ofport,
      ifindex: vanished ? (before?.ifindex ?? 0) : ifindex,
      vanished,
    });
    const isOther = before?.ofport === ofport && (before.vanished || before.ifindex !== ifindex);
    if (isOther && !vanished) this.#stale.add(uuid);
  }

  #forget(uuid: Uuid): void {
    this.#opened.delete(uuid);
    this.#stale.delete(uuid);
    this.#down.delete(uuid);
  }
}
